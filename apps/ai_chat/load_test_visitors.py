"""Lets the visitors of ``manage.py loadtest`` in: with the load-test key, as marked visitors."""

from __future__ import annotations

from typing import Any

from apps.ai_chat.errors import ChatError
from apps.ai_chat.visitor import new_load_test_id, sign
from apps.ai_pool.load_test.key import HEADER, is_load_test_key


def load_test_token(scope: dict[str, Any]) -> str:
    """Return the token of a new simulated visitor for a socket that shows the key, else "".

    Raises ChatError ``unauthorised`` for a wrong key: a test must not pass for a visitor.
    """
    shown = dict(scope.get("headers", ())).get(HEADER.lower().encode())
    if shown is None:
        return ""
    if not is_load_test_key(shown.decode("latin-1")):
        raise ChatError("unauthorised")
    return sign(new_load_test_id())
