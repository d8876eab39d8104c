"""A restart in the middle of answers loses nothing, whether it waits for them or not."""

from __future__ import annotations

import asyncio

import pytest

from ai_model.pool.config import PoolConfig
from tests.e2e.survival import Reader, supervised_pool, wait_until_ready
from tests.live import DEMO_MODEL

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(120),
    pytest.mark.skipif(
        not DEMO_MODEL.is_file(), reason="the demo model is not there; `make demo-model` trains it"
    ),
]
QUESTION = "Tell me about the pool."
NUM_TOKENS = 48


async def test_who_runs_finishes_or_goes_on_and_who_waits_is_answered() -> None:
    """First with patience, then without; the text is that of an undisturbed answer."""
    config = PoolConfig(
        model_path=DEMO_MODEL, max_instances=1, n_ctx=512, max_tokens=128, max_tok_s=50.0
    )
    async with supervised_pool(config) as (supervisor, client):
        undisturbed = Reader(client, QUESTION, NUM_TOKENS)
        await undisturbed.read()
        for patience_s, is_moved in ((30.0, False), (0.0, True)):
            before = supervisor.pid
            readers = [Reader(client, QUESTION, NUM_TOKENS) for _ in range(2)]
            tasks = [asyncio.create_task(reader.read()) for reader in readers]
            while not any(reader.text for reader in readers):
                await asyncio.sleep(0.01)
            result = await client.restart(patience_s)
            assert result.is_done and result.num_running == 1
            await asyncio.gather(*tasks)
            after = await wait_until_ready(client, unlike=before)
            for reader in readers:
                assert reader.text == undisturbed.text
                assert reader.end["type"] == "gen.done"
            notices = [kind for reader in readers for _, kind in reader.journal]
            assert ("gen.notice" in notices) is is_moved, "only a running answer is said to go on"
            assert after == supervisor.pid != before
        assert supervisor.num_restarts == 0, "a restart that was wanted is no death"
