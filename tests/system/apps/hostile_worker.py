"""A worker that has been taken over: tries what it may not, notes what came of it, then serves.

    hostile_worker.py NOTES SERVER

NOTES: a file for the outcomes, as JSON. SERVER: the program that it becomes. The environment says what
is attacked: LOGS (files, separated by ':'), SOCKETS (likewise), DEED ("shout": lines without end beside
the server). Processes of other users are found by their parent, the master."""

import json
import os
import signal
import socket
import sys
from pathlib import Path

FORGED = "FORGED"


def outcome(attempt) -> str:
    try:
        attempt()
    except OSError as error:
        return error.strerror
    return "done"


def connect(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)


def append(path: str) -> None:
    with open(path, "a", encoding="utf-8") as file:
        file.write(FORGED + "\n")


def others() -> list[int]:
    """Processes that are not of this user: the master, its bridge, workers of other apps."""
    parent = os.getppid()
    found = [parent]
    for entry in Path("/proc").iterdir():
        try:
            if int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(entry.name))
        except (ValueError, OSError):
            continue
    return [pid for pid in found if os.stat(f"/proc/{pid}").st_uid != os.getuid()]


def attempts() -> dict[str, str]:
    found = {}
    for path in os.environ["LOGS"].split(":"):
        found[f"write {path}"] = outcome(lambda path=path: append(path))
    for path in os.environ["SOCKETS"].split(":"):
        found[f"connect {path}"] = outcome(lambda path=path: connect(path))
    for pid in others():
        found[f"kill {pid}"] = outcome(lambda pid=pid: os.kill(pid, signal.SIGKILL))
        found[f"memory {pid}"] = outcome(lambda pid=pid: open(f"/proc/{pid}/mem", "rb"))
        for descriptor in (1, 2, 3):
            path = f"/proc/{pid}/fd/{descriptor}"
            found[f"write {path}"] = outcome(lambda path=path: append(path))
    return found


def say(text: str) -> None:
    os.write(2, text.encode())


def main() -> None:
    notes, server = sys.argv[1:]
    if os.environ.get("DEED") == "shout":
        if os.fork() == 0:
            while True:
                say("shout " + "x" * 1000 + "\n")
    else:
        Path(notes + ".new").write_text(json.dumps(attempts()))
        os.rename(notes + ".new", notes)
        say(f'2026-01-01T00:00:00.000Z info "{FORGED} app=other"\n')
        say(f"first\r2026-01-01T00:00:00.000Z error {FORGED} app=other\x1b[2J\x9b2J\n")
        say('{"time":"2026-01-01T00:00:00.000Z","app":"other","message":"' + FORGED + '"}\n')
    os.execv(server, [server])


if __name__ == "__main__":
    main()
