"""The shop's pages and the chat, which needs sockets and streams."""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")

from backend.asgi import application  # noqa: E402

__all__ = ["application"]
