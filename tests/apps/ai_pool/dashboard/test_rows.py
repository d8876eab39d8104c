"""The rows of process, instances and line; ids are short, and nothing of a visitor is in them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from ai_model.pool.status import ORPHAN_S, MemoryStatus, PoolStatus
from ai_model.pool.waiting_request import WaitingRequest
from apps.ai_pool.dashboard.mark import Mark
from apps.ai_pool.dashboard.rows import (
    MAX_LINE,
    instance_rows,
    lost_rows,
    process_facts,
    waiting_rows,
)
from apps.ai_pool.dashboard.unit import MISSING
from tests.apps.ai_pool.conftest import READY

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


def test_instances() -> None:
    decode, prefill, idle = instance_rows(READY)
    assert (decode.number, decode.request, decode.prompt) == (1, "7f3a1111", "100 %")
    assert (decode.tokens, decode.speed, decode.context_percent) == ("84", "7.4", 41)
    assert (prefill.prompt, prefill.speed) == ("62 %", MISSING)
    assert (idle.request, idle.note) == (MISSING, "holds a conversation")
    assert (decode.generation[:8], decode.note, idle.generation) == ("7f3a1111", "", "")
    alone = replace(READY.instances[0], unwatched_s=ORPHAN_S)
    assert instance_rows(replace(READY, instances=(alone,)))[0].note == "nobody watches"


def test_the_process() -> None:
    facts = {fact.name: fact.value for fact in process_facts(READY)}
    assert facts["Process"] == "4711" and facts["Up"] == "3.2 days"
    assert facts["Model"] == "TinyLlama 1.1B Q5_K_M"
    assert "Some wait for memory" not in facts, "the kernel tells nothing"
    told = replace(READY, memory=MemoryStatus(stall_some=0.12, stall_full=0.0))
    facts = {fact.name: fact.value for fact in process_facts(told)}
    assert (facts["Some wait for memory"], facts["All wait for memory"]) == ("12 %", "0 %")
    assert process_facts(PoolStatus.down("Gone.")) == []


def test_the_line() -> None:
    line = [
        WaitingRequest(
            position=at + 1,
            generation="0123456789",
            visitor="v-31a0c2",
            waited_s=9.0,
            eta_p50_s=None if at == 1 else 5.0,
            eta_p90_s=None if at == 2 else 12.0,
        )
        for at in range(50)
    ]
    rows = waiting_rows(line)
    assert len(rows) == MAX_LINE
    assert [row.promise for row in rows[:3]] == ["5.0 s to 12 s", MISSING, "5.0 s"]
    assert rows[0].request == "01234567"


def test_lost_processes_are_folded_then_forgotten() -> None:
    marks = [
        Mark("restart", NOON - timedelta(minutes=back), f"{back} after: signal 9")
        for back in (20, 5, 1)
    ]
    marks.append(Mark("restart", NOON, "Pool process 7 started"))
    rows = lost_rows(marks, NOON)
    assert [(row.text[0], row.is_folded) for row in rows] == [("1", False), ("5", True)]
    assert rows[1].ago == "5 min"
