"""The test application on Flask (WSGI): see README.md beside this file. One request at a time."""

import hashlib
import os
import signal
import time
from urllib.parse import quote

from flask import Flask, Response, request

app = application = Flask(__name__)
BLOCK = bytes((i * 31 + (i >> 8)) & 0xFF for i in range(65536))


def plain(body, status=200, headers=()):
    return Response(body, status, [("Content-Type", "text/plain"), *headers])


def mark(name, text):
    path = os.path.join(os.environ["MARKS"], name)
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
        yield BLOCK[:size]
        size -= len(BLOCK)


@app.get("/hello")
def hello():
    return plain("hello\n")


@app.get("/env")
def env():
    shown = {name: value for name, value in request.environ.items() if name[0].isupper() and isinstance(value, str)}
    return plain("".join(f"{name}={quote(value.encode('latin-1'), '')}\n" for name, value in shown.items()))


@app.post("/digest")
def digest():
    total, length = hashlib.sha256(), 0
    while piece := request.stream.read(16384):
        total.update(piece)
        length += len(piece)
    if "mark" in request.args:
        mark(request.args["mark"], "ran\n")
    return plain(f"{length} {total.hexdigest()}\n")


@app.get("/generate")
def generate():
    size = int(request.args["bytes"])
    response = Response(pattern(size) if request.method == "GET" else b"", mimetype="application/octet-stream")
    if request.args.get("length") != "0":
        response.content_length = size
    return response


@app.get("/status")
def status():
    code = int(request.args["code"])
    return plain("" if code in (204, 304) else "body\n", code, [("X-Test", "yes")])


@app.get("/cookies")
def cookies():
    response = plain("set\n")
    response.set_cookie("a", "1")
    response.set_cookie("b", "2")
    return response


@app.get("/redirect")
def redirect():
    return plain("", 302, [("Location", "http://viaduct.test/hello")])


@app.get("/stderr")
def diagnostics():
    print(request.args["text"] + " of the request", file=request.environ["wsgi.errors"], flush=True)
    os.write(2, (request.args["text"] + " of the process\n").encode())
    return plain("reported\n")


@app.get("/pid")
def pid():
    return plain(f"{os.getpid()}\n")


@app.get("/setting")
def setting():
    return plain(os.environ[request.args["name"]] + "\n")


@app.get("/sleep")
def sleep():
    time.sleep(int(request.args["ms"]) / 1000)
    return plain("slept\n")


@app.get("/endless")
def endless():
    name = request.args["mark"]

    def forever():
        try:
            while True:
                yield BLOCK
        finally:  # uWSGI closes the iterator when it cannot write
            mark(name, "write failed\n")

    return plain(forever())


@app.route("/crash", methods=["GET", "POST"])
def crash():
    if "bytes" not in request.args:
        os.abort()
    size = int(request.args["bytes"])

    def dying():
        yield from pattern(size)
        os.abort()

    return plain(dying())


@app.get("/once")
def once():
    if mark(request.args["mark"], "crashed once\n"):
        os.abort()
    return plain(f"{os.getpid()}\n")


@app.get("/hang")
def hang():
    mark(request.args["mark"], "hanging\n")
    while True:
        signal.pause()


@app.route("/early", methods=["GET", "POST"])
def early():
    return plain("early\n")


@app.errorhandler(404)
def not_found(_):
    return plain("not found\n", 404)
