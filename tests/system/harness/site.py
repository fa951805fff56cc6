"""What every way of reaching the test application has to get right."""

from . import http


def check_site(port: int, mount: str = "", chunked: bool = True) -> None:
    """What every way of reaching the application has to get right."""
    reply = http.request(port, mount + "/hello")
    assert (reply.status, reply.text) == (200, "hello\n")
    assert http.request(port, mount + "/hello", "HEAD").body == b""
    assert http.request(port, mount + "/nowhere").status == 404
    assert http.request(port, mount + "/status?code=503").status == 503
    assert http.request(port, mount + "/redirect").status == 302
    size = 300_001
    digest = f"{size} {http.pattern_sha256(size)}\n"
    body = b"".join(http.pattern(size))
    assert http.request(port, mount + "/digest", "POST", body=body).text == digest
    if chunked:
        pieces = list(http.pattern(size))
        assert http.request(port, mount + "/digest", "POST", body=pieces, chunked=True).text == digest
    reply = http.request(port, mount + f"/generate?bytes={size}&length=0", keep_body=False)
    assert (reply.length, reply.sha256) == (size, http.pattern_sha256(size))
    seen = http.request(port, mount + "/env/a%20b/c?x=1", headers=[("Proxy", "evil")]).variables()
    assert (seen["script_name"], seen["QUERY_STRING"]) == (mount, "x=1")
    assert seen["path"] == "/env/a b/c"
    assert "HTTP_PROXY" not in seen and "header:Proxy" not in seen
