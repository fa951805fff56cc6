#!/usr/bin/python3 -IS
"""The test application as a CGI script: see README.md beside this file. One process per request."""

import hashlib
import os
import signal
import sys
import time

BLOCK = bytes((i * 31 + (i >> 8)) & 0xFF for i in range(65536))
VARIABLES = os.environ
QUERY = dict(pair.partition("=")[::2] for pair in VARIABLES.get("QUERY_STRING", "").split("&"))
out = sys.stdout.buffer


def plain(text, *fields):
    head = ["Content-Type: text/plain", *fields, "", ""]
    out.write("\r\n".join(head).encode() + text.encode())


def mark(text):
    path = os.path.join(VARIABLES["MARKS"], QUERY["mark"])
    unfinished = f"{path}.{os.getpid()}"
    with open(unfinished, "w") as file:
        file.write(text)
    try:
        os.link(unfinished, path)
    except FileExistsError:
        return False
    finally:
        os.unlink(unfinished)
    return True


def pattern(size):
    while size > 0:
        out.write(BLOCK[:size])
        size -= len(BLOCK)


def env():
    encoded = {
        name: "".join(chr(c) if 32 < c < 127 and c != 37 else f"%{c:02X}" for c in os.fsencode(value))
        for name, value in VARIABLES.items()
    }
    plain("".join(f"{name}={value}\n" for name, value in encoded.items()))


def digest():
    total, length = hashlib.sha256(), 0
    while piece := sys.stdin.buffer.read(16384):
        total.update(piece)
        length += len(piece)
    plain(f"{length} {total.hexdigest()}\n")


def generate():
    head = "Content-Type: application/octet-stream\r\n"
    if QUERY.get("length") != "0":
        head += f"Content-Length: {QUERY['bytes']}\r\n"
    out.write(head.encode() + b"\r\n")
    if VARIABLES["REQUEST_METHOD"] != "HEAD":
        pattern(int(QUERY["bytes"]))


def status():
    code = QUERY["code"]
    plain("" if code in ("204", "304") else "body\n", f"Status: {code} Test", "X-Test: yes")


def diagnostics():
    os.write(2, f"{QUERY['text']} of the request\n{QUERY['text']} of the process\n".encode())
    plain("reported\n")


def sleep():
    time.sleep(int(QUERY["ms"]) / 1000)
    plain("slept\n")


def endless():
    plain("")
    try:
        while True:
            pattern(len(BLOCK))
    except BrokenPipeError:
        mark("write failed\n")
        os._exit(1)


def crash():
    """What crashes is fcgiwrap: the death of a script is none of a worker."""
    if "bytes" in QUERY:
        plain("")
        pattern(int(QUERY["bytes"]))
        out.flush()
    os.kill(os.getppid(), signal.SIGABRT)


def once():
    if mark("crashed once\n"):
        crash()
    else:
        plain(f"{os.getpid()}\n")


def hang():
    mark("hanging\n")
    while True:
        signal.pause()


PAGES = {
    "/hello": lambda: plain("hello\n"),
    "/env": env,
    "/digest": digest,
    "/generate": generate,
    "/status": status,
    "/cookies": lambda: plain("set\n", "Set-Cookie: a=1", "Set-Cookie: b=2"),
    "/redirect": lambda: out.write(b"Location: http://viaduct.test/hello\r\n\r\n"),
    "/stderr": diagnostics,
    "/pid": lambda: plain(f"{os.getpid()}\n"),
    "/setting": lambda: plain(VARIABLES[QUERY["name"]] + "\n"),
    "/sleep": sleep,
    "/endless": endless,
    "/crash": crash,
    "/once": once,
    "/hang": hang,
    "/early": lambda: plain("early\n"),
}
page = PAGES.get(VARIABLES["REQUEST_URI"].partition("?")[0])
page() if page else plain("not found\n", "Status: 404 Not Found")
