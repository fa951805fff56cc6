#!/usr/bin/env python3
"""Looks for lines that cross a boundary of the source tree: boundaries.py ROOT.

Includes run one way, protocol <- sdk and protocol <- daemon, and codecs know neither sockets nor Asio. In
daemon/master, which may be root, owner and mode of files change in two classes alone, which never follow
a path that somebody else can change. Files are opened, made, removed and bound by path there, too, and in
cgroups and /dev/null, which are the kernel's. Everybody else works below the descriptor of a directory. The
SDK's engine, whose mutex handlers need, writes no log lines itself.

Exits 1 and names file and line of each crossing."""

import re
import sys
from pathlib import Path

# (folder, what no line there may match, files that are allowed to)
RULES = [
    ("protocol", r'#include\s*["<](daemon|sdk|viaduct)/', ()),
    ("protocol", r"#include\s*<(boost/asio|sys/socket|sys/epoll)", ()),
    ("sdk", r'#include\s*["<]daemon/', ()),
    ("daemon", r'#include\s*["<](sdk|viaduct)/', ()),
    (
        "daemon/master",
        r"(?<!\w)::(fchmod|fchmodat|chmod|chown|lchown|fchown|fchownat|unlink|rename|symlink|link)\(",
        ("directory.cpp", "socket_file.cpp"),
    ),
    (
        "daemon/master",
        r"(?<!\w)::((open|open64)\((?!\"/dev/null\")|(creat|mkdir|rmdir|mknod|mkfifo|truncate)\()"
        r"|\w+at2?\(AT_FDCWD\b|\bstd::(ofstream|fstream|fopen|rename)\b"
        r"|\b(fs|std::filesystem)::(create_\w+|permissions|rename|remove\w*|copy\w*|resize_file)\(",
        # The kernel's cgroups and processes have no links, and no names that others choose.
        ("cgroup_tree.cpp", "orphans.cpp"),
    ),
    # The engine has its mutex, which handlers need, when it has something to say: LateLog writes it.
    (
        "sdk/src/runtime",
        r"\b(write_log|log)\(",
        ("background.cpp", "fiber_executor.cpp", "late_log.cpp", "readiness.cpp"),
    ),
    # TCP and abstract names, which are no files.
    ("daemon/master", r"(?<!\w)::bind\(", ("socket_file.cpp", "listener_socket.cpp")),
]


def crossings(root: Path):
    for folder, pattern, allowed in RULES:
        forbidden = re.compile(pattern)
        files = [f for f in sorted((root / folder).rglob("*")) if f.suffix in (".cpp", ".hpp", ".h")]
        assert files, f"{folder} has no sources: the rule would check nothing"
        for file in files:
            if file.name in allowed:
                assert forbidden.search(file.read_text()), f"{file} needs no exception"
        for file in files:
            if file.name in allowed:
                continue
            for number, line in enumerate(file.read_text(errors="replace").splitlines(), 1):
                code = line.split("//")[0]
                if forbidden.search(code):
                    yield f"{file.relative_to(root)}:{number}: {line.strip()}"


def main() -> int:
    found = list(crossings(Path(sys.argv[1])))
    print("".join(f"{line}\n" for line in found), end="")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
