#!/bin/sh
# Installs the SDK into an empty place and builds a project against it, with find_package and with
# pkg-config alone, by each compiler, and the projects of the tutorial:
# package_test.sh SOURCE_DIR BUILD_DIR WORK_DIR COMPILER static|shared USER...
# COMPILER made BUILD_DIR, and each USER builds the project. The static library is that of BUILD_DIR;
# the shared one is what BUILD_SHARED_LIBS=ON makes of the same objects.
set -eu
source=$1 build=$2 work=$3 compiler=$4 kind=$5
shift 5
outside=$source/tests/sdk/package/outside

rm -rf "$work"
mkdir -p "$work"
launcher=$(command -v ccache || true)
log() { "$@" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }; }

cached() { sed -n "s/^$1:[A-Z]*=//p" "$build/CMakeCache.txt"; }

if [ "$kind" = shared ] && [ "$(cached BUILD_SHARED_LIBS)" != ON ]; then
  type=$(cached CMAKE_BUILD_TYPE)
  flags=CMAKE_CXX_FLAGS_$(echo "$type" | tr '[:lower:]' '[:upper:]')
  log cmake -S "$source" -B "$work/build" -G Ninja -DBUILD_SHARED_LIBS=ON \
      -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_BUILD_TYPE="$type" \
      -DCMAKE_CXX_FLAGS="$(cached CMAKE_CXX_FLAGS)" -D"$flags=$(cached "$flags")" \
      -DVIADUCT_WERROR="$(cached VIADUCT_WERROR)" \
      -DVIADUCT_BUILD_DAEMON=OFF -DVIADUCT_BUILD_TESTS=OFF -DVIADUCT_BUILD_EXAMPLES=OFF \
      -DCMAKE_INSTALL_LIBDIR=lib -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON \
      -DCMAKE_CXX_COMPILER_LAUNCHER="$source/tests/sdk/package/built_object.py;$build"
  build=$work/build
  log cmake --build "$build" -j2
fi
log cmake --install "$build" --component sdk --prefix "$work/prefix"

for header in "$work"/prefix/include/viaduct/*.hpp; do
  echo "#include <viaduct/$(basename "$header")>"
done >"$work/every_header.cpp"

lib=$(dirname "$(find "$work/prefix" -name 'libviaduct.*' -print -quit)")
export PKG_CONFIG_PATH="$lib/pkgconfig" LD_LIBRARY_PATH="$lib"

use() {  # COMPILER DIRECTORY
  log cmake -S "$outside" -B "$2" -G Ninja -DCMAKE_CXX_COMPILER="$1" \
      -DCMAKE_PREFIX_PATH="$work/prefix" -DEVERY_HEADER="$work/every_header.cpp"
  log cmake --build "$2" -j2
  # Word splitting is what pkg-config's output is for.
  # shellcheck disable=SC2046
  log "$1" -std=c++20 -Wall -Wextra -Wpedantic -Wconversion -Werror "$outside/main.cpp" \
      "$work/every_header.cpp" -o "$2/by_pkg_config" $(pkg-config --cflags --libs viaduct)
  # shellcheck disable=SC2046
  log "$1" -std=c++20 -Wall -Wextra -Wpedantic -Wconversion -Werror "$outside/test.cpp" \
      -o "$2/test_by_pkg_config" $(pkg-config --cflags --libs viaduct-testing)

  for program in outside_test test_by_pkg_config; do
    "$2/$program" || { echo "$2/$program failed"; exit 1; }
  done
  for program in outside by_pkg_config; do
    version=$("$2/$program" --version)
    test "$version" = "viaduct $(pkg-config --modversion viaduct)" || {
      echo "$2/$program --version said: $version"
      exit 1
    }
  done
}

for user in "$@"; do
  use "$user" "$work/$(basename "$user")"
done
# The tutorial as its readers follow it, at every point where it says that the program runs.
if [ "$kind" = static ]; then
  "$source/tests/sdk/tutorial_files.py" "$source/sdk/README.md" "$work/tutorial" --stages
  for project in "$work"/tutorial/hello "$work"/tutorial/stage*/guestbook "$work/tutorial/guestbook"; do
    log cmake -S "$project" -B "$project/build" -G Ninja -DCMAKE_CXX_COMPILER="$compiler" \
        -DCMAKE_CXX_FLAGS="-Wall -Wextra -Wpedantic -Wconversion -Werror" \
        -DCMAKE_CXX_COMPILER_LAUNCHER="$launcher" -DCMAKE_PREFIX_PATH="$work/prefix"
    log cmake --build "$project/build" -j2
    log "$project/build/$(basename "$project")" --version
  done
  log ctest --test-dir "$work/tutorial/guestbook/build" --no-tests=error
fi

if [ "$kind" = shared ]; then
  # Nothing but the public interface is exported.
  if nm -DC --defined-only "$lib/libviaduct.so" | grep -E ' [TW] .*(boost|protocol::)'; then
    echo "libviaduct.so exports what is not its own"
    exit 1
  fi
fi
rm -rf "$work"
