"""Who is at the other end of a Unix socket."""

from __future__ import annotations

import asyncio
import socket
import struct

_CREDENTIALS = struct.Struct("3i")
"""Process, user and group of the peer, as SO_PEERCRED gives them (unix(7))."""


def peer_uid(writer: asyncio.StreamWriter) -> int | None:
    """Return the user id of the peer's process; None where the system does not tell."""
    peer = writer.get_extra_info("socket")
    if peer is None or not hasattr(socket, "SO_PEERCRED"):
        return None
    credentials = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return int(_CREDENTIALS.unpack(credentials)[1])
