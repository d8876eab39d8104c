"""No task outlives its owner."""

from __future__ import annotations

import asyncio

from ai_model.pool.tasks import Tasks


async def test_all_end_together() -> None:
    """Those that run are cancelled; those that are done are forgotten; twice is once."""
    tasks, seen = Tasks(), list[str]()

    async def work(name: str, seconds: float) -> None:
        try:
            await asyncio.sleep(seconds)
            seen.append(f"{name} done")
        except asyncio.CancelledError:
            seen.append(f"{name} cancelled")
            raise

    tasks.spawn(work("short", 0.0))
    tasks.spawn(work("long", 60.0))
    while not seen:
        await asyncio.sleep(0)
    await tasks.close()
    await tasks.close()
    assert seen == ["short done", "long cancelled"]
    assert len(asyncio.all_tasks()) == 1
