"""The codes a chat socket is closed with.

Only 1000 and 4xxx: Daphne raises inside the consumer on most others, and drops reason strings, so
an ``error`` or ``bye`` frame always goes first.
"""

from __future__ import annotations

from enum import IntEnum


class CloseCode(IntEnum):
    """Why the server closed a socket."""

    NORMAL = 1000
    MALFORMED = 4400
    """More than ten malformed frames in a minute."""
    NO_HELLO = 4401
    """A frame came before ``hello``, or the token of the ``hello`` is not ours."""
    FORBIDDEN = 4403
    """The page that opened the socket may not use this chat."""
    UNKNOWN_SITE = 4404
    """The key in the page's tag is none of ours."""
    SUBPROTOCOL = 4406
    """The client speaks none of our protocol versions."""
    TIMEOUT = 4408
    """No ``hello`` within the time, or silence for too long."""
    REPLACED = 4409
    """Too many sockets of one visitor; the oldest gave way."""
    MOVED = 4410
    """The visitor signed in in another tab; what this one shows belongs to the user now."""
    LOGIN_ENDED = 4411
    """The website's word for who the visitor is has ended."""
    TRY_LATER = 4429
    """As many sockets are open as may be; or a second ``hello``."""
    INTERNAL = 4500
    DRAINING = 4503
    """The server is going down, or this socket does not read what it is sent."""
