"""The eight cards: what each says of a pool that is calm, busy or not there."""

from __future__ import annotations

from dataclasses import replace

from ai_model.pool.advice import Level
from ai_model.pool.pool_sample import PoolSample
from ai_model.pool.status import InstanceStatus, MemoryStatus, PoolState, PoolStatus
from apps.ai_pool.dashboard.card import Card, all_cards
from apps.ai_pool.dashboard.unit import MISSING

CALM = PoolStatus(
    state=PoolState.READY,
    pid=1,
    num_instances=4,
    utilisation_15min=0.5,
    wait_p50_s=0.1,
    ttft_p95_s=2.0,
    memory=MemoryStatus(pressure=0.5, rss_bytes=10**9, limit_bytes=2 * 10**9, level="low"),
)


def cards(status: PoolStatus, *hour: PoolSample | None, num_today: int = 0) -> dict[str, Card]:
    return {card.slug: card for card in all_cards(status, hour, num_today)}


def test_a_calm_pool() -> None:
    made = cards(CALM, PoolSample(num_done=3), None, PoolSample(num_done=4), num_today=1234)
    assert len(made) == 8
    assert made["waiting"].value == "0" and made["running"].value == "0 / 4"
    assert made["memory"].note == "1.0 GB held of 2.0 GB"
    assert made["success"].value == "100 %"
    assert made["answers"].value == "1,234" and made["answers"].note == "7 in the last hour"
    assert {card.level for card in made.values()} <= {Level.GOOD, None}
    assert all(card.link and card.target for card in made.values())
    assert "<svg" in made["answers"].spark


def test_a_busy_pool() -> None:
    writing = tuple(InstanceStatus(index=at, state="decode") for at in range(4))
    busy = replace(
        CALM,
        num_running=4,
        num_waiting=3,
        oldest_wait_s=41.0,
        utilisation_15min=0.9,
        wait_p50_s=8.0,
        ttft_p95_s=20.0,
        decode_tok_s=12.0,
        instances=writing,
        memory=replace(CALM.memory, pressure=0.95),
    )
    made = cards(busy, PoolSample(num_done=9, num_failed=1, num_cancelled=5, num_refused=2))
    assert made["waiting"].note == "oldest 41 s"
    assert made["success"].value == "90 %" and made["success"].note == "1 of 10 failed"
    levels = {slug: card.level for slug, card in made.items()}
    act = {"waiting", "wait", "ttft", "memory", "success"}
    assert {slug for slug, level in levels.items() if level is Level.ACT} == act
    assert {slug for slug, level in levels.items() if level is Level.WATCH} == {
        "running",
        "speed",
        "answers",
    }
    assert made["waiting"].sign == "■" and made["speed"].sign == "▲"


def test_memory_is_judged_by_its_rest() -> None:
    """A profile that rests at 80 % by design is calm at 85 %."""
    memory = replace(CALM.memory, pressure=0.85, resting_pressure=0.8)
    made = cards(replace(CALM, memory=memory))["memory"]
    assert made.level is Level.GOOD and made.target == "target below 90 %"


def test_memory_above_the_line_of_warning_and_waiting_for_it() -> None:
    memory = replace(CALM.memory, pressure=0.64, stall_some=0.031)
    made = cards(replace(CALM, memory=memory))["memory"]
    assert made.name == "Memory · low, above 60 %"
    assert made.note == "1.0 GB held of 2.0 GB · stalled 3 %"


def test_a_pool_that_is_away_has_no_numbers() -> None:
    made = cards(PoolStatus.down("Gone."))
    for slug in ("waiting", "running", "wait", "ttft", "speed", "success", "memory"):
        assert made[slug].value == MISSING, slug
        assert made[slug].level is None, slug
