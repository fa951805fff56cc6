#!/usr/bin/env python3
"""Reads off binaries of the release build what cmake/hardening.cmake asks for:
hardening.py CHECKOUT BINARY...

Exits 1 and names each binary and what it lacks."""

import platform
import re
import subprocess
import sys
from pathlib import Path


def readelf(binary: Path, *options: str) -> str:
    command = ["readelf", "--wide", *options, str(binary)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def missing(binary: Path, checkout: Path):
    """What that executable lacks, one description each."""
    segments = readelf(binary, "--program-headers")
    dynamic = readelf(binary, "--dynamic")
    imported = readelf(binary, "--dyn-syms")
    flags = " ".join(line for line in dynamic.splitlines() if "FLAGS" in line)
    if "PIE" not in flags.split():
        yield "a position-independent executable (-pie)"
    if "GNU_RELRO" not in segments or "NOW" not in flags:
        yield "full RELRO (-z relro -z now)"
    if not re.search(r"GNU_STACK\s.*\sRW\s", segments):
        yield "a stack that cannot be executed (-z noexecstack)"
    if "__stack_chk_fail" not in imported:
        yield "-fstack-protector-strong"
    if not re.search(r"UND __\w+_chk(@|$)", imported, re.MULTILINE):
        yield "_FORTIFY_SOURCE"
    if "__glibcxx_assert_fail" not in imported:
        yield "_GLIBCXX_ASSERTIONS"
    if platform.machine() == "x86_64" and not enters_by_endbr(binary):
        yield "-fcf-protection"
    if platform.machine() == "aarch64" and not re.search(r"\b(bti|paciasp)\b", start_of_main(binary)):
        yield "-mbranch-protection=standard"
    yield from missing_in_units(binary)
    if str(checkout).encode() + b"/" in binary.read_bytes():
        yield "-ffile-prefix-map: it names files below the checkout"


def missing_in_units(binary: Path):
    """What the compiler was not told for one of the sources. GCC writes it down with the debugging
    information, other compilers do not."""
    options = {
        "x86_64": ("-fstack-clash-protection", "-fcf-protection"),
        "aarch64": ("-fstack-clash-protection", "-mbranch-protection=standard"),
    }.get(platform.machine(), ())
    described = readelf(binary, "--debug-dump=info", "--dwarf-depth=1")
    producers = re.findall(r"DW_AT_producer.*: (GNU C.*)", described)
    if "DW_AT_producer" not in described:
        raise SystemExit(f"{binary}: no debugging information; is it stripped?")
    for option in options:
        without = sum(option not in producer for producer in producers)
        if without:
            yield f"{option} in {without} of {len(producers)} sources"


def enters_by_endbr(binary: Path) -> bool:
    """Whether main(), which is called by its address, begins with endbr64."""
    return "endbr64" in start_of_main(binary)


def start_of_main(binary: Path) -> str:
    """Its first instruction, disassembled."""
    symbol = re.search(r"^ *\d+: ([0-9a-f]+) .* main$", readelf(binary, "--syms"), re.MULTILINE)
    if symbol is None:
        raise SystemExit(f"{binary}: no symbol main; is it stripped?")
    begin = int(symbol[1], 16)
    command = ["objdump", "--disassemble", f"--start-address={begin}", f"--stop-address={begin + 4}"]
    return subprocess.run([*command, str(binary)], check=True, capture_output=True, text=True).stdout


def main() -> int:
    checkout, *binaries = map(Path, sys.argv[1:])
    lacks = [(binary, what) for binary in binaries for what in missing(binary, checkout)]
    for binary, what in lacks:
        print(f"{binary}: lacks {what}")
    return 1 if lacks or not binaries else 0


if __name__ == "__main__":
    sys.exit(main())
