"""TCP ports for servers that have to be told one.

A reserved port is bound, without listening, by a socket with SO_REUSEADDR. Linux then gives that port
to no bind() or connect() that leaves the choice to it, while a server that sets SO_REUSEADDR may
bind and listen there: all servers of these tests do. So a port is not lost between the moment it is
chosen and the moment its server listens, and nobody else answers there once the server is gone."""

import socket

_reserved: list[socket.socket] = []


def reserve_port() -> int:
    """A port of 127.0.0.1, ours until release_ports(), in the network namespace of this thread."""
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    _reserved.append(holder)
    return holder.getsockname()[1]


def release_ports() -> None:
    for holder in _reserved:
        holder.close()
    _reserved.clear()
