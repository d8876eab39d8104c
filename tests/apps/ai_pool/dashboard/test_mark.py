"""Marks: what changed the pool is noted once, and shown with what operators have done."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType

from ai_model.pool.status import ModelStatus, PoolState, PoolStatus
from apps.ai_pool.dashboard import mark_record
from apps.ai_pool.dashboard.mark import MAX_MARKS, Mark, lost_processes, read_marks
from apps.ai_pool.dashboard.mark_record import record_marks
from apps.ai_pool.models import PoolMark
from apps.ai_pool.models import PoolStatus as StatusPage

pytestmark = pytest.mark.django_db
NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
POOL = PoolStatus(
    state=PoolState.READY,
    pid=7,
    life="first",
    max_instances=4,
    model=ModelStatus(name="TinyLlama", quant="Q8_0", is_demo=False, n_ctx=2048),
)


def note(status: PoolStatus, minutes: float = 0, version: str = "1.0") -> int:
    return record_marks(status, NOON + minutes * MINUTE, version=version)


def texts() -> list[str]:
    return list(PoolMark.objects.order_by("id").values_list("text", flat=True))


def test_the_first_look_says_what_there_is() -> None:
    assert note(POOL) == 3
    assert texts() == [
        "Version 1.0",
        "Model TinyLlama Q8_0, context 2048, instances 4, always there 0, line 0",
        "Pool process 7 started",
    ]


def test_the_same_again_is_no_news() -> None:
    note(POOL)
    assert note(POOL, 1) == 0
    # It comes and goes with demand, or by the minute.
    assert note(replace(POOL, num_instances=2, uptime_s=99, num_running=1), 2) == 0


def test_every_change_makes_one_mark() -> None:
    note(POOL)
    other = replace(POOL, life="second", pid=8, num_restarts=1, last_restart_cause="signal 9")
    assert note(other, 1) == 1
    assert note(replace(other, max_instances=6), 2) == 1
    assert note(replace(other, max_instances=6), 3, version="1.1") == 1
    assert texts()[3:] == [
        "Pool process 8 started after: signal 9",
        "Instances 4 → 6",
        "Version 1.1 (before: 1.0)",
    ]


def test_two_processes_that_notice_it_at_once_make_one_mark(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    note(POOL)
    # The other one has looked before the first one has written.
    monkeypatch.setattr(PoolMark.objects, "filter", lambda **_: PoolMark.objects.none())
    note(POOL, 0.5)
    assert len(texts()) == 3


@pytest.mark.parametrize("state", [PoolState.DOWN, PoolState.LOADING, PoolState.FAILED])
def test_a_pool_that_is_away_tells_nothing(state: PoolState) -> None:
    assert note(replace(POOL, state=state)) == 0
    assert note(replace(POOL, life="")) == 0


def test_long_names_fit() -> None:
    long = replace(POOL.model, name="ä" * 500)  # type: ignore[type-var]
    assert note(replace(POOL, model=long)) == 3
    assert note(replace(POOL, model=long), 1) == 0


def test_marks_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mark_record, "NUM_KEPT", 5)
    PoolMark.objects.create(kind="restart", at=NOON - timedelta(days=500), facts="", text="old")
    for number in range(10):
        note(replace(POOL, life=str(number)), number)
    assert len(texts()) <= 6 and "old" not in texts()


def test_orders_of_operators_stand_among_the_marks() -> None:
    note(POOL, 5)
    user = get_user_model().objects.create(username="ada")
    LogEntry.objects.create(
        user=user,
        content_type=ContentType.objects.get_for_model(StatusPage),
        action_flag=CHANGE,
        change_message="Paused.",
    )
    LogEntry.objects.create(user=user, action_flag=CHANGE, change_message="Something else.")
    LogEntry.objects.update(action_time=NOON + 7 * MINUTE)
    marks = read_marks(NOON, NOON + 10 * MINUTE)
    assert [mark.kind for mark in marks] == ["release", "configuration", "restart", "order"]
    assert marks[-1].text == "Paused. (ada)"
    assert len({mark.glyph for mark in marks}) == 4, "each kind has a shape of its own"
    assert read_marks(NOON + 8 * MINUTE, NOON + 10 * MINUTE) == []


def test_a_pool_that_dies_all_the_time_does_not_fill_the_page() -> None:
    for number in range(MAX_MARKS + 5):
        PoolMark.objects.create(kind="restart", at=NOON + number * MINUTE, facts="", text="x")
    marks = read_marks(NOON, NOON + timedelta(days=1))
    assert len(marks) == MAX_MARKS
    assert marks[-1].at == NOON + (MAX_MARKS + 4) * MINUTE, "the newest are kept"


def test_lost_processes() -> None:
    marks = [Mark("restart", NOON - back * MINUTE, str(back)) for back in (30, 10, 1)]
    marks.append(Mark("order", NOON, "no restart"))
    found = lost_processes(marks, NOON, timedelta(minutes=15))
    assert [mark.text for mark in found] == ["1", "10"]
    assert marks[0].share(NOON - 60 * MINUTE, 3600) == 0.5
    assert marks[0].share(NOON, 3600) is None
