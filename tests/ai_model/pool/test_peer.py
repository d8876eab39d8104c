"""Both ends of the pool's socket look who is at the other one."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from ai_model.pool import link, peer
from ai_model.pool.errors import PoolUnavailable
from ai_model.pool.link import Link


async def _serve(path: Path, seen: list[int | None]) -> asyncio.Server:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(peer.peer_uid(writer))
        writer.close()

    return await asyncio.start_unix_server(greet, path)


async def test_the_peer_is_our_own_user(tmp_path: Path) -> None:
    seen: list[int | None] = []
    async with await _serve(tmp_path / "s", seen):
        _, writer = await asyncio.open_unix_connection(tmp_path / "s")
        assert peer.peer_uid(writer) == os.geteuid()
        writer.close()
        await writer.wait_closed()
        await asyncio.sleep(0)
    assert seen == [os.geteuid()]


async def test_a_socket_of_another_user_is_no_pool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "peer_uid", lambda writer: os.geteuid() + 1)
    async with await _serve(tmp_path / "s", []):
        with pytest.raises(PoolUnavailable, match="belongs to user"):
            await Link.connect(tmp_path / "s")
        await asyncio.sleep(0.05)  # the refused connection closes by itself
