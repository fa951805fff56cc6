#!/usr/bin/env python3
"""A compiler launcher that takes objects from another build of the same tree:
built_object.py BUILD_DIR COMPILER ARGUMENT...

It copies the object that BUILD_DIR has of the source, compiled by the same command. Commands are
compared without what makes no difference to the object: its name, the list of headers, precompiled
headers, and the NAME_EXPORTS that CMake defines for objects of shared libraries."""

import json
import shlex
import shutil
import sys
from pathlib import Path

NAMES_AN_OUTPUT = ("-o", "-MT", "-MF")
MAKES_NO_DIFFERENCE = ("-MD", "-Winvalid-pch", "-Xclang", "-include", "-include-pch")


def essence(words: list[str]) -> list[str]:
    kept, names = [], iter(words)
    for word in names:
        if word in NAMES_AN_OUTPUT:
            next(names)
        elif word in MAKES_NO_DIFFERENCE or "/cmake_pch." in word:
            continue
        elif not (word.startswith("-D") and word.endswith("_EXPORTS")):
            kept.append(word)
    return kept


def output(words: list[str]) -> str:
    return words[words.index("-o") + 1]


def main(build: Path, words: list[str]) -> None:
    wanted = essence(words)
    for entry in json.loads((build / "compile_commands.json").read_text()):
        command = shlex.split(entry["command"])
        if entry["file"] == words[-1] and essence(command) == wanted:
            shutil.copy(Path(entry["directory"]) / output(command), output(words))
            return
    sys.exit(f"{build} has no object by this command: {shlex.join(wanted)}")


main(Path(sys.argv[1]), sys.argv[2:])
