#!/bin/sh
# Public headers include the standard library and each other, nothing else, and each compiles by
# itself: public_headers_test.sh INCLUDE_DIR COMPILER
set -eu
include=$1 compiler=$2

allowed='<(viaduct/[a-z]+\.hpp|[a-z_]+)>'
foreign=$(grep -nE '^ *# *include' "$include"/viaduct/*.hpp | grep -vE "include $allowed" || true)
if [ -n "$foreign" ]; then
  echo "not the standard library:"
  echo "$foreign"
  exit 1
fi
for header in "$include"/viaduct/*.hpp; do
  "$compiler" -std=c++20 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -fsyntax-only \
      -I "$include" -x c++ - <<EOF
#include <viaduct/$(basename "$header")>
EOF
done
