"""Real servers, privately started, and clients that do what browsers should not.

    paths     where the source tree and the build are; a world-readable copy of what is started
    process   start, stop, wait, and what /proc says about a process
    http      an HTTP/1.1 client on bare sockets
    fastcgi   a FastCGI client for talking to a listener directly
    scgi      an SCGI client for the same
    uwsgi     a uwsgi client for the same
    fronts    nginx, Apache, Caddy, lighttpd, HAProxy from the files in conf/
    viaductd  the daemon with a configuration of the test's own
    browser   a headless Chromium
    load      the load generator, every answer verified
    apps      the test applications, one interface, several languages
"""
