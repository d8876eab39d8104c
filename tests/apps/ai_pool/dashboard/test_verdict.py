"""The verdict: a word, a sign that is no colour, the reason, and where to go."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ai_model.pool.advice import Action, Advice, Level, Measure
from ai_model.pool.status import MemoryStatus, PoolState, PoolStatus
from apps.ai_pool.dashboard.first_action import FirstAction, first_action
from apps.ai_pool.dashboard.verdict import verdict

CALM = PoolStatus(state=PoolState.READY, pid=1, num_instances=4)
ADDRESSES = {name: f"/{name}/" for name in ("resume", "restart", "resize", "limit", "model")}


def test_a_calm_pool_is_healthy_and_asks_for_nothing() -> None:
    made = verdict(CALM)
    assert (made.word, made.level, made.sign, made.action) == ("Healthy", Level.GOOD, "●", None)
    assert [line.name for line in made.advices] == ["State"]


def test_the_most_urgent_comes_first() -> None:
    memory = MemoryStatus(pressure=0.97, limit_bytes=10**9)
    tight = replace(CALM, memory=memory, num_restarts=1, uptime_s=60)
    made = verdict(tight, (), ADDRESSES)
    assert (made.word, made.sign) == ("Act now", "■")
    assert made.reason.startswith("Memory is at 97%")
    assert made.action == FirstAction("Switch the model", "/model/")
    assert [line.name for line in made.advices] == ["Memory", "Restarts"]


@pytest.mark.parametrize(
    ("state", "word"),
    [
        (PoolState.LOADING, "Starting"),
        (PoolState.PAUSED, "Paused"),
        (PoolState.DRAINING, "Draining"),
        (PoolState.DOWN, "Down"),
        (PoolState.FAILED, "Failed"),
    ],
)
def test_a_pool_that_is_not_ready_says_so(state: PoolState, word: str) -> None:
    made = verdict(PoolStatus(state=state, reason="Because."))
    assert made.word == word and made.level is not Level.GOOD


@pytest.mark.parametrize(
    ("action", "address"),
    [
        (Action.RESUME, "/resume/"),
        (Action.RESTART, "/restart/"),
        (Action.RESIZE, "/resize/?num_instances=6"),
        (Action.SHORTEN_ANSWERS, "/limit/?limit=max_tokens"),
        (Action.SMALLER_MODEL, "/model/"),
        (Action.READ_LOG, "#attention"),
    ],
)
def test_an_advice_leads_somewhere(action: Action, address: str) -> None:
    advice = Advice(
        level=Level.ACT, measure=Measure.STATE, sentence="", action=action, num_instances=6
    )
    found = first_action(advice, ADDRESSES)
    assert found is not None and found.address == address
    forbidden = first_action(advice, {})
    assert forbidden is not None and forbidden.text == found.text
    assert forbidden.address in ("", "#attention")


def test_good_advice_leads_nowhere() -> None:
    advice = Advice(level=Level.GOOD, measure=Measure.STATE, sentence="")
    assert first_action(advice, ADDRESSES) is None
