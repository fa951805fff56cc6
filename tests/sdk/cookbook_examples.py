#!/usr/bin/env python3
"""Makes one program of every C++ example of the cookbook: cookbook_examples.py PAGE OUTPUT

An example with main() is a program of its own: called with --version when it takes arguments, else
without. Any other one is the inside of a function that has an `app`: the app is started, which
finds conflicting routes, and stopped. The program fails when one of them does.
"""
import re
import sys

HEAD = """#include <algorithm>
#include <array>
#include <atomic>
#include <iostream>
#include <mutex>
#include <string>

#include <viaduct/testing.hpp>
#include <viaduct/viaduct.hpp>
"""

FRAGMENT = """namespace example_%(number)d {
static void add_to([[maybe_unused]] viaduct::App& app) {
#line %(line)d "%(page)s"
%(code)s
}
static int check() {
  viaduct::App app;
  add_to(app);
  const viaduct::testing::Client client(app);
  return 0;
}
}  // namespace example_%(number)d
"""

PROGRAM = """namespace example_%(number)d {
#line %(line)d "%(page)s"
%(code)s
static int check() {
  char name[] = "example";
  char version[] = "--version";
  [[maybe_unused]] char* arguments[] = {name, version, nullptr};
  return program(%(arguments)s);
}
}  // namespace example_%(number)d
"""

MAIN = """int main() {
  int failed = 0;
  const auto check = [&failed](int line, int (*example)()) {
    try {
      const int status = example();
      if (status == 0) return;
      std::cerr << "%(page)s:" << line << ": status " << status << '\\n';
    } catch (const std::exception& error) {
      std::cerr << "%(page)s:" << line << ": " << error.what() << '\\n';
    }
    ++failed;
  };
%(calls)s
  return failed == 0 ? 0 : 1;
}
"""


def main():
    page, output = sys.argv[1:]
    with open(page, encoding="utf-8") as file:
        text = file.read()
    includes, parts, calls = [], [], []
    for number, match in enumerate(re.finditer(r"^```cpp\n(.*?)^```", text, re.M | re.S), 1):
        line = text.count("\n", 0, match.start(1)) + 1
        code = match[1]
        includes += re.findall(r"^#include.*\n", code, re.M)
        code = re.sub(r"^#include.*$", "", code, flags=re.M)
        signature = re.search(r"^int main\((.*?)\) \{", code, re.M)
        arguments = "2, arguments" if signature and signature[1] else ""
        code = re.sub(r"^int main\(", "static int program(", code, flags=re.M)
        parts.append((PROGRAM if signature else FRAGMENT) % {
            "number": number, "line": line, "page": page, "code": code, "arguments": arguments})
        calls.append(f"  check({line}, example_{number}::check);")
    if not parts:
        sys.exit(f"{page}: no examples found")
    with open(output, "w", encoding="utf-8") as file:
        file.write(HEAD + "".join(includes) + "\n" + "\n".join(parts) + "\n" +
                   MAIN % {"page": page, "calls": "\n".join(calls)})


if __name__ == "__main__":
    main()
