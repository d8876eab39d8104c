"""The id of what somebody asked the server for, carried into every line of the log about it.

A reverse proxy or a program gives it (``X-Request-ID``), or the server makes one. It says nothing
about who asks or what.
"""

from __future__ import annotations

import re
import secrets
from contextvars import ContextVar

MAX_CHARS = 64
_FORM = re.compile(rf"[A-Za-z0-9._:-]{{1,{MAX_CHARS}}}")

current_request_id: ContextVar[str] = ContextVar("corral_request_id", default="")
"""Id of the request or socket that this task or thread works for; empty elsewhere."""


def new_request_id() -> str:
    """Return a fresh id."""
    return secrets.token_hex(8)


def is_request_id(text: str) -> bool:
    """Return whether ``text`` can be one: it stands in logs, so it has no blanks and few signs."""
    return _FORM.fullmatch(text) is not None
