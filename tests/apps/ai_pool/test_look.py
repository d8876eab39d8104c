"""What a look says, and whether it says anything new."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from ai_model.pool.status import InstanceStatus, MemoryStatus, PoolState, PoolStatus
from ai_model.pool.waiting_request import WaitingRequest
from apps.ai_pool.look import MAX_LINE, Look
from tests.apps.ai_pool.conftest import READY, WAITING

QUIET = PoolStatus(
    state=PoolState.READY,
    pid=7,
    num_instances=1,
    instances=(InstanceStatus(index=0, state="idle", num_kv_tokens=5),),
    memory=MemoryStatus(rss_bytes=1, pressure=0.5),
)


def look_at(status: PoolStatus, line: tuple[WaitingRequest, ...] | None = None) -> Look:
    return Look(status=status, at=1.0, unix_s=1_795_000_000.25, line=line)


def test_staff_are_told_everything() -> None:
    said: dict[str, Any] = json.loads(look_at(READY, (WAITING,)).for_staff)
    assert (said["type"], said["now"], said["available"]) == ("status", 1_795_000_000.25, 1)
    assert said["instances"][0]["num_generated"] == 84
    assert said["line"][0]["visitor"] == "v-31a0c2"
    assert said["shown"]["rows"][1][1] == "prefill"


def test_everybody_is_told_numbers_only() -> None:
    look = look_at(replace(READY, reason="/srv/model.gguf is empty."), (WAITING,))
    assert json.loads(look.for_everybody) == {
        "type": "status",
        "now": 1_795_000_000.25,
        "state": "ready",
        "available": 1,
        "instances": 3,
        "in_use": 2,
        "waiting": 1,
        "wait_s": 90,
    }


def test_a_long_line_is_cut() -> None:
    line = tuple(replace(WAITING, position=place) for place in range(1, 40))
    said = json.loads(look_at(READY, line).for_staff)
    assert len(said["line"]) == len(said["shown"]["line"]) == MAX_LINE


@pytest.mark.parametrize("is_staff", [True, False])
def test_the_first_look_is_news(is_staff: bool) -> None:
    assert look_at(QUIET).says_more_than(None, is_staff=is_staff)


@pytest.mark.parametrize(
    ("status", "is_news_for_staff", "is_news"),
    [
        (replace(QUIET, uptime_s=99, heartbeat_age_s=1.0, instance_s=99.0), False, False),
        (replace(QUIET, instances=(replace(QUIET.instances[0], since_s=9.0),)), False, False),
        (replace(QUIET, memory=replace(QUIET.memory, rss_bytes=2)), False, False),
        (replace(QUIET, memory=replace(QUIET.memory, pressure=0.6)), True, False),
        (replace(QUIET, instances=(replace(QUIET.instances[0], num_kv_tokens=6),)), True, False),
        (replace(QUIET, num_done=1), True, False),
        (replace(QUIET, num_running=1), True, True),
        (PoolStatus.down("gone"), True, True),
    ],
)
def test_clocks_alone_are_no_news(
    status: PoolStatus, is_news_for_staff: bool, is_news: bool
) -> None:
    before, now = look_at(QUIET), look_at(status)
    assert now.says_more_than(before, is_staff=True) is is_news_for_staff
    assert now.says_more_than(before, is_staff=False) is is_news


def test_a_busy_pool_is_always_news_for_staff() -> None:
    """The clocks of its answers run."""
    assert look_at(READY).says_more_than(look_at(READY), is_staff=True)
    assert not look_at(READY).says_more_than(look_at(READY), is_staff=False)
