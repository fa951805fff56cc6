#!/bin/sh
# Installs the SDK into an empty place and builds a project against it, with find_package and with
# pkg-config, and the projects of the tutorial: package_test.sh SOURCE_DIR WORK_DIR COMPILER ON|OFF
# The last argument is BUILD_SHARED_LIBS.
set -eu
source=$1 work=$2 compiler=$3 shared=$4

rm -rf "$work"
mkdir -p "$work"
launcher=$(command -v ccache || true)
log() { "$@" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }; }

log cmake -S "$source" -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_CXX_FLAGS_RELEASE=-O0 -DBUILD_SHARED_LIBS="$shared" \
    -DVIADUCT_BUILD_DAEMON=OFF -DVIADUCT_BUILD_TESTS=OFF -DVIADUCT_BUILD_EXAMPLES=OFF \
    -DCMAKE_INSTALL_PREFIX="$work/prefix" -DCMAKE_INSTALL_LIBDIR=lib \
    -DCMAKE_CXX_COMPILER_LAUNCHER="$launcher"
log cmake --build "$work/build" -j2
log cmake --install "$work/build" --component sdk

log cmake -S "$source/tests/sdk/package/outside" -B "$work/outside" -G Ninja \
    -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_PREFIX_PATH="$work/prefix"
log cmake --build "$work/outside"

export PKG_CONFIG_PATH="$work/prefix/lib/pkgconfig"
# Word splitting is what pkg-config's output is for.
# shellcheck disable=SC2046
log "$compiler" -std=c++20 -Wall -Wextra -Wpedantic -Wconversion -Werror \
    "$source/tests/sdk/package/outside/main.cpp" -o "$work/by_pkg_config" \
    $(pkg-config --cflags --libs viaduct)

# shellcheck disable=SC2046
log "$compiler" -std=c++20 -Wall -Wextra -Wpedantic -Wconversion -Werror \
    "$source/tests/sdk/package/outside/test.cpp" -o "$work/test_by_pkg_config" \
    $(pkg-config --cflags --libs viaduct-testing)

for program in "$work/outside/outside_test" "$work/test_by_pkg_config"; do
  LD_LIBRARY_PATH="$work/prefix/lib" "$program" || { echo "$program failed"; exit 1; }
done
for program in "$work/outside/outside" "$work/by_pkg_config"; do
  version=$(LD_LIBRARY_PATH="$work/prefix/lib" "$program" --version)
  test "$version" = "viaduct $(pkg-config --modversion viaduct)" || {
    echo "$program --version said: $version"
    exit 1
  }
done
# The tutorial as its readers follow it, at every point where it says that the program runs.
if [ "$shared" = OFF ]; then
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

if [ "$shared" = ON ]; then
  # Nothing but the public interface is exported.
  if nm -DC --defined-only "$work"/prefix/lib/libviaduct.so | grep -E ' [TW] .*(boost|protocol::)'; then
    echo "libviaduct.so exports what is not its own"
    exit 1
  fi
fi
rm -rf "$work"
