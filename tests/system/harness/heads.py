"""Heads of responses that break the rules, or are unusual: each syntactic part of a CGI head, varied."""

from typing import NamedTuple, Optional

TYPE = b"Content-Type: text/plain\r\n"
NOT_FOUND = b"Status: 404 Not Found\r\n"
TARGET = b"Location: http://x.test/\r\n"
BODY = b"\r\nbody\n"


class Case(NamedTuple):
    """`status`: what viaductd answers. `peers`: how many of the five front servers serve it as the program
    means it: with `status`, or where that is 502, with one below 500; None: they are not asked, since
    `reason`. `field`: what the client sees of it."""

    answer: bytes
    status: int
    peers: Optional[int]
    field: Optional[tuple[str, str]] = ("Content-Type", "text/plain")
    body: bytes = b"body\n"
    reason: str = ""


HANGS = "nginx or HAProxy takes it for an interim response and waits on"
CRASHES = "HAProxy 2.6 crashes"

# Lenient serves them, strict does not.
MENDED = {
    "type-twice": Case(b"Content-Type: text/html\r\n" + TYPE + BODY, 200, 5),
    "type-twice-equal": Case(TYPE + TYPE + BODY, 200, 5),
    "status-twice": Case(b"Status: 404 A\r\nStatus: 404 A\r\n" + TYPE + BODY, 404, 5),
    "location-twice": Case(TARGET + TARGET + TYPE + BODY, 302, 3, ("Location", "http://x.test/")),
    "empty-head": Case(BODY, 200, 5, None),
    "empty-head-and-body": Case(b"\r\n", 200, 5, None, b""),
    "blank-line-first": Case(b"\r\n" + TYPE + BODY, 200, 5, None, TYPE + BODY),
    "coding-chunked": Case(TYPE + b"Transfer-Encoding: chunked\r\n" + BODY, 200, 4),
    "coding-upper": Case(TYPE + b"Transfer-Encoding: CHUNKED\r\n" + BODY, 200, 4),
    "coding-twice": Case(TYPE + b"Transfer-Encoding: chunked\r\n" * 2 + BODY, 200, 4),
    "coding-empty": Case(TYPE + b"Transfer-Encoding:\r\n" + BODY, 200, 5),
    "coding-identity": Case(TYPE + b"Transfer-Encoding: identity\r\n" + BODY, 200, 4),
    "coding-and-length": Case(TYPE + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n" + BODY, 200, 4),
    "length-list": Case(TYPE + b"Content-Length: 5, 5\r\n" + BODY, 200, 5),
    "length-word": Case(TYPE + b"Content-Length: five\r\n" + BODY, 200, 4),
    "length-negative": Case(TYPE + b"Content-Length: -1\r\n" + BODY, 200, 4),
    "length-empty": Case(TYPE + b"Content-Length:\r\n" + BODY, 200, 4),
    "length-huge": Case(TYPE + b"Content-Length: 99999999999999999999\r\n" + BODY, 200, 4),
    "length-plus": Case(TYPE + b"Content-Length: +5\r\n" + BODY, 200, 4),
    "length-hex": Case(TYPE + b"Content-Length: 0x5\r\n" + BODY, 200, 4),
    "length-fraction": Case(TYPE + b"Content-Length: 5.0\r\n" + BODY, 200, 4),
    "length-two-words": Case(TYPE + b"Content-Length: 5 5\r\n" + BODY, 200, 4),
    "length-semicolon": Case(TYPE + b"Content-Length: 5;\r\n" + BODY, 200, 4),
    "name-brackets": Case(TYPE + b"X(A): b\r\n" + BODY, 200, 4),
    "name-slash": Case(TYPE + b"X/A: b\r\n" + BODY, 200, 4),
    "name-utf8": Case(TYPE + b"X-\xc3\xa9: b\r\n" + BODY, 200, 4),
}
# Both serve them.
SERVED = {
    "status-last": Case(TYPE + NOT_FOUND + BODY, 404, 5),
    "status-lower": Case(b"status: 404 Not Found\r\n" + TYPE + BODY, 404, 5),
    "status-upper": Case(b"STATUS: 404 Not Found\r\n" + TYPE + BODY, 404, 5),
    "status-no-space": Case(b"Status:404 Not Found\r\n" + TYPE + BODY, 404, 5),
    "status-spaces": Case(b"Status:   404   Not Found  \r\n" + TYPE + BODY, 404, 5),
    "status-tab": Case(b"Status:\t404\tNot Found\r\n" + TYPE + BODY, 404, 3),
    "status-8bit": Case(b"Status: 404 Nicht gef\xfcnden\r\n" + TYPE + BODY, 404, 5),
    "status-no-reason": Case(b"Status: 404\r\n" + TYPE + BODY, 404, 5),
    "status-600": Case(b"Status: 600 X\r\n" + TYPE + BODY, 600, 5),
    "status-999": Case(b"Status: 999 X\r\n" + TYPE + BODY, 999, 5),
    "status-line": Case(b"HTTP/1.1 404 Not Found\r\n" + TYPE + BODY, 404, 1),
    "status-line-1.0": Case(b"HTTP/1.0 404 Not Found\r\n" + TYPE + BODY, 404, 1),
    "status-line-2": Case(b"HTTP/2 404 Not Found\r\n" + TYPE + BODY, 404, 0),
    "status-line-no-reason": Case(b"HTTP/1.1 404\r\n" + TYPE + BODY, 404, 1),
    "status-line-and-status": Case(b"HTTP/1.1 200 OK\r\n" + NOT_FOUND + TYPE + BODY, 404, 2),
    "location": Case(TARGET + b"\r\n", 302, 3, ("Location", "http://x.test/"), b""),
    "location-body": Case(TARGET + TYPE + BODY, 302, 3, ("Location", "http://x.test/")),
    "location-local": Case(b"Location: /lf/\r\n\r\n", 302, 3, ("Location", "/lf/"), b""),
    "location-relative": Case(b"Location: lf/\r\n" + TYPE + BODY, 302, 3, ("Location", "lf/")),
    "location-empty": Case(b"Location:\r\n" + TYPE + BODY, 302, 2),
    "location-301": Case(b"Status: 301 Moved\r\n" + TARGET + TYPE + BODY, 301, 4, ("Location", "http://x.test/")),
    "location-201": Case(b"Status: 201 Created\r\n" + TARGET + TYPE + BODY, 201, 4, ("Location", "http://x.test/")),
    "location-200": Case(TARGET + b"Status: 200 OK\r\n" + TYPE + BODY, 200, 5, ("Location", "http://x.test/")),
    "type-none": Case(b"X-A: b\r\n" + BODY, 200, 5, ("X-A", "b")),
    "type-word": Case(b"Content-Type: plain\r\n" + BODY, 200, 5, ("Content-Type", "plain")),
    "type-empty": Case(b"Content-Type:\r\n" + BODY, 200, 5, None),
    "name-underscore": Case(TYPE + b"X_A: b\r\n" + BODY, 200, 5, ("X_A", "b")),
    "name-dot": Case(TYPE + b"X.A: b\r\n" + BODY, 200, 5, ("X.A", "b")),
    "name-300": Case(TYPE + b"X-" + b"a" * 300 + b": b\r\n" + BODY, 200, 4, ("X-" + "a" * 300, "b")),
    "value-empty": Case(TYPE + b"X-A:\r\n" + BODY, 200, 5),
    "value-no-space": Case(TYPE + b"X-A:b\r\n" + BODY, 200, 5, ("X-A", "b")),
    "value-spaces": Case(TYPE + b"X-A: \t  b   \r\n" + BODY, 200, 5, ("X-A", "b")),
    "value-tab": Case(TYPE + b"X-A: b\tc\r\n" + BODY, 200, 5, ("X-A", "b\tc")),
    "value-colon": Case(TYPE + b"X-A: b: c\r\n" + BODY, 200, 5, ("X-A", "b: c")),
    "value-8bit": Case(TYPE + b"X-A: caf\xe9\r\n" + BODY, 200, 5, ("X-A", "caf\xe9")),
    "value-control": Case(TYPE + b"X-A: o\x01ne\r\n" + BODY, 200, 4),
    "value-delete": Case(TYPE + b"X-A: o\x7fne\r\n" + BODY, 200, 4),
    "value-3000": Case(TYPE + b"X-A: " + b"b" * 3000 + b"\r\n" + BODY, 200, 5, ("X-A", "b" * 3000)),
    "value-30000": Case(TYPE + b"X-A: " + b"b" * 30000 + b"\r\n" + BODY, 200, 3, ("X-A", "b" * 30000)),
    "lf": Case(b"Content-Type: text/plain\n\nbody\n", 200, 5),
    "lf-first": Case(b"Content-Type: text/plain\nX-A: b\r\n\nbody\n", 200, 5, ("X-A", "b")),
    "lf-last": Case(TYPE + b"X-A: b\r\n\nbody\n", 200, 5, ("X-A", "b")),
    "length": Case(TYPE + b"Content-Length: 5\r\n" + BODY, 200, 5),
    "length-zeros": Case(TYPE + b"Content-Length: 05\r\n" + BODY, 200, 5),
    "length-twice": Case(TYPE + b"Content-Length: 5\r\nContent-Length: 5\r\n" + BODY, 200, 5),
    "length-twice-zeros": Case(TYPE + b"Content-Length: 5\r\nContent-Length: 05\r\n" + BODY, 200, 5),
    "length-less": Case(TYPE + b"Content-Length: 3\r\n" + BODY, 200, 4, body=b"bod"),
    "length-204": Case(b"Status: 204 No Content\r\nContent-Length: 5\r\n" + BODY, 204, 4, None, b""),
    "connection-close": Case(TYPE + b"Connection: close\r\n" + BODY, 200, 5),
    "connection-keep": Case(TYPE + b"Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n" + BODY, 200, 5),
    "connection-field": Case(TYPE + b"Connection: X-A\r\nX-A: b\r\n" + BODY, 200, 5),
    "upgrade": Case(TYPE + b"Connection: upgrade\r\nUpgrade: websocket\r\n" + BODY, 200, 5),
    "trailer": Case(TYPE + b"Trailer: X-A\r\nTE: trailers\r\nProxy-Connection: close\r\n" + BODY, 200, 5),
    "date-twice": Case(TYPE + b"Date: Tue, 01 Jan 2030 00:00:00 GMT\r\n" * 2 + BODY, 200, 5),
    "server-twice": Case(TYPE + b"Server: mine\r\nServer: mine\r\n" + BODY, 200, 5),
}
# Neither does: what they mean is not clear, or they could mean two things to two readers. Or four of
# five front servers do not serve them.
REFUSED = {
    "no-colon": Case(TYPE + b"garbage line\r\n" + BODY, 502, 1),
    "status-line-second": Case(TYPE + b"HTTP/1.1 404 Not Found\r\n" + BODY, 502, 2),
    "status-line-lower": Case(b"http/1.1 404 Not Found\r\n" + TYPE + BODY, 502, 0),
    "status-line-word": Case(b"HTTP/1.1 OK\r\n" + TYPE + BODY, 502, 1),
    "space-first": Case(b" X-A: b\r\n" + TYPE + BODY, 502, 2),
    "space-before-colon": Case(TYPE + b"X-A : b\r\n" + BODY, 502, 3),
    "space-in-name": Case(TYPE + b"X A: b\r\n" + BODY, 502, 3),
    "name-empty": Case(TYPE + b": b\r\n" + BODY, 502, 2),
    "name-control": Case(TYPE + b"X-\x01A: b\r\n" + BODY, 502, 3),
    "name-delete": Case(TYPE + b"X-\x7fA: b\r\n" + BODY, 502, 3),
    "folded": Case(TYPE + b"X-A: one\r\n two\r\n" + BODY, 502, 3),
    "folded-tab": Case(TYPE + b"X-A: one\r\n\ttwo\r\n" + BODY, 502, 3),
    "folded-type": Case(b"Content-Type:\r\n text/plain\r\n" + BODY, 502, 3),
    "nul": Case(TYPE + b"X-A: o\0ne\r\n" + BODY, 502, 4),
    "nul-last": Case(TYPE + b"X-A: b\0\r\n" + BODY, 502, 4),
    "nul-in-name": Case(TYPE + b"X-\0A: b\r\n" + BODY, 502, 3),
    "cr": Case(TYPE + b"X-A: o\rX-B: c\r\n" + BODY, 502, 3),
    "cr-last": Case(TYPE + b"X-A: b\r\r\n" + BODY, 502, 4),
    "cr-first": Case(TYPE + b"\rX-A: b\r\n" + BODY, 502, 3),
    "cr-only": Case(b"Content-Type: text/plain\rX-A: b\r\rbody\n", 502, None, reason=CRASHES),
    "lengths": Case(TYPE + b"Content-Length: 5\r\nContent-Length: 3\r\n" + BODY, 502, 4),
    "length-list-other": Case(TYPE + b"Content-Length: 5, 3\r\n" + BODY, 502, 4),
    "length-list-empty": Case(TYPE + b"Content-Length: 5,\r\n" + BODY, 502, 4),
    "status-word": Case(b"Status: OK\r\n" + TYPE + BODY, 502, 0),
    "status-empty": Case(b"Status:\r\n" + TYPE + BODY, 502, 2),
    "status-glued": Case(b"Status: 404Not Found\r\n" + TYPE + BODY, 502, 1),
    "status-list": Case(b"Status: 404, 404\r\n" + TYPE + BODY, 502, 2),
    "status-negative": Case(b"Status: -404 X\r\n" + TYPE + BODY, 502, 0),
    "status-version": Case(b"Status: HTTP/1.1 404 Not Found\r\n" + TYPE + BODY, 502, 0),
    "status-20": Case(b"Status: 20 OK\r\n" + TYPE + BODY, 502, None, reason=HANGS),
    "status-99": Case(b"Status: 099 X\r\n" + TYPE + BODY, 502, None, reason=HANGS),
    "status-1000": Case(b"Status: 1000 X\r\n" + TYPE + BODY, 502, None, reason=HANGS),
    "status-twice-other": Case(b"Status: 404 A\r\nStatus: 403 B\r\n" + TYPE + BODY, 502, 5),
    "location-twice-other": Case(TARGET + b"Location: http://y.test/\r\n" + TYPE + BODY, 502, 5),
    "coding-gzip": Case(TYPE + b"Transfer-Encoding: gzip\r\n" + BODY, 502, 4),
    "coding-list": Case(TYPE + b"Transfer-Encoding: gzip, chunked\r\n" + BODY, 502, 4),
    "text-only": Case(b"<html>\n<p>body</p>\n\nmore\n", 502, 1),
    "no-end": Case(TYPE + b"X-A: b\r\n", 502, None, reason=CRASHES),
    "no-end-of-line": Case(TYPE + b"X-A: b", 502, None, reason=CRASHES),
    "body-only": Case(b"body\n", 502, None, reason=CRASHES),
    "nothing": Case(b"", 502, None, reason=CRASHES),
}
# Front servers take them for final, hang, or send them twice.
INTERIM = {
    "early-hints": Case(b"Status: 103 Early Hints\r\nLink: </a>\r\n\r\n" + TYPE + BODY, 200, 0),
    "continue": Case(b"Status: 100 Continue\r\n\r\nStatus: 404 Not Found\r\n" + TYPE + BODY, 404, 0),
    "sixteen": Case(b"Status: 102 Processing\r\n\r\n" * 16 + TYPE + BODY, 200, 0),
    "seventeen": Case(b"Status: 102 Processing\r\n\r\n" * 17 + TYPE + BODY, 502, 0),
    "early-hints-alone": Case(b"Status: 103 Early Hints\r\n\r\n", 502, 0),
    "switching": Case(b"Status: 101 Switching Protocols\r\nUpgrade: x\r\n" + BODY, 502, 0),
}
NO_CONTENT = {"reset-content": b"Status: 205 Reset Content\r\n" + TYPE + b"Content-Length: 5\r\n" + BODY}
ALL = {**MENDED, **SERVED, **REFUSED, **INTERIM}
# These front servers refuse the heads themselves, whoever sends them.
REFUSED_BY_FRONT = {
    ("apache", "value-control"): 500,
    ("apache", "value-delete"): 500,
    ("apache", "value-30000"): 500,
    ("haproxy", "value-30000"): 502,
    ("haproxy", "name-300"): 502,
}
