"""Servers with a lifespan (uvicorn): checks at the start, an orderly end."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from backend import lifespan as module


async def test_start_and_end(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    async def close_chat() -> None:
        done.append("chat closed")

    monkeypatch.setattr(module, "report_at_start", lambda: done.append("checked"))
    monkeypatch.setattr(module, "close_chat", close_chat)
    monkeypatch.setattr(module, "stop_pool", lambda: done.append("pool stopped"))
    said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    for kind in ("lifespan.startup", "lifespan.shutdown"):
        said.put_nowait({"type": kind})
    sent: list[str] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message["type"])

    async with asyncio.timeout(5):
        await module.lifespan({"type": "lifespan"}, said.get, send)
    assert done == ["checked", "chat closed", "pool stopped"]
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
