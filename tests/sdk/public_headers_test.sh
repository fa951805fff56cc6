#!/bin/sh
# Public headers include the standard library and each other, nothing else, and each compiles by
# itself: public_headers_test.sh INCLUDE_DIR COMPILER. Only json.hpp and async.hpp
# include more, as they say.
set -eu
include=$1 compiler=$2

allowed='<(viaduct/[a-z_]+\.hpp|[a-z_]+)>'
foreign=$(grep -nE '^ *# *include' "$include"/viaduct/*.hpp | grep -vE "include $allowed" |
  grep -v -e '/json.hpp:[0-9]*:#include <boost/json.hpp>' \
      -e '/async.hpp:[0-9]*:#include <boost/[a-z_/]*\.hpp>' || true)
if [ -n "$foreign" ]; then
  echo "not the standard library:"
  echo "$foreign"
  exit 1
fi
for header in "$include"/viaduct/*.hpp; do
  for option in -frtti -fno-rtti; do
    # It says that it cannot.
    case $option$header in -fno-rtti*/async.hpp) continue ;; esac
    "$compiler" -std=c++20 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -fsyntax-only \
        $option -I "$include" -x c++ - <<EOF
#include <viaduct/$(basename "$header")>
EOF
  done
done
if refusal=$("$compiler" -std=c++20 -fno-rtti -fsyntax-only -I "$include" -x c++ \
    "$include/viaduct/async.hpp" 2>&1) || ! echo "$refusal" | grep -q 'compile with -frtti'; then
  echo "async.hpp without run-time type information: $refusal"
  exit 1
fi
