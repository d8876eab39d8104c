"""The chat page in a real browser, against a real server and the demo model."""

from __future__ import annotations
