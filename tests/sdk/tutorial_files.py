#!/usr/bin/env python3
"""Writes the files of a tutorial: tutorial_files.py PAGE DIRECTORY [--stages]

Every C++ and CMake block names its file behind the language (```cpp guestbook/main.cpp) and is added
to that file's end, or with the word "anew" begins it again. DIRECTORY gets the files as they are at
the end of the page, with --stages also as they are before each "anew": DIRECTORY/stage1, ...
"""
import pathlib
import re
import sys

BLOCK = re.compile(r"^```(cpp|cmake)\b([^\n]*)\n(.*?)^```", re.M | re.S)


def write(files, directory):
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def main():
    page, directory = sys.argv[1], pathlib.Path(sys.argv[2])
    text = pathlib.Path(page).read_text(encoding="utf-8")
    files, stages, changed = {}, [], False
    for match in BLOCK.finditer(text):
        language, words, code = match.groups()
        line = text.count("\n", 0, match.start(3)) + 1
        name, *anew = words.split() or [""]
        if not name or anew not in ([], ["anew"]):
            sys.exit(f"{page}:{line}: expected a file's name behind {language}, and perhaps anew")
        if anew and name not in files:
            sys.exit(f"{page}:{line}: {name} is new, not anew")
        if anew and changed:
            stages.append(dict(files))
        if language == "cpp":
            code = f'#line {line} "{page}"\n' + code
        files[name] = code if anew else files.get(name, "") + code
        changed = not anew
    if not files:
        sys.exit(f"{page}: no blocks found")
    write(files, directory)
    if "--stages" in sys.argv[3:]:
        for number, stage in enumerate(stages, 1):
            write(stage, directory / f"stage{number}")


if __name__ == "__main__":
    main()
