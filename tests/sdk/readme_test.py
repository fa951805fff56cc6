#!/usr/bin/env python3
"""Compiles every C++ example of a tutorial: readme_test.py README INCLUDE_DIR COMPILER

A block with main() is a program; any other one is the inside of a function that has an `app`.
"""
import re
import subprocess
import sys

FRAME = """#include <viaduct/viaduct.hpp>
#include <array>
#include <atomic>
#include <mutex>
#include <string>
void example([[maybe_unused]] viaduct::App& app);
void example([[maybe_unused]] viaduct::App& app) {
%s
}
"""


def main():
    readme, include, compiler = sys.argv[1:]
    with open(readme, encoding="utf-8") as file:
        blocks = re.findall(r"^```cpp\n(.*?)^```", file.read(), re.M | re.S)
    if not blocks:
        sys.exit(f"{readme}: no examples found")
    failed = 0
    for block in blocks:
        source = block if "int main" in block else FRAME % block
        command = [compiler, "-std=c++20", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion",
                   "-Werror", "-fsyntax-only", "-I", include, "-x", "c++", "-"]
        if subprocess.run(command, input=source, text=True, check=False).returncode != 0:
            print(f"does not compile:\n{block}", file=sys.stderr)
            failed += 1
    print(f"{len(blocks)} examples, {failed} do not compile")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
