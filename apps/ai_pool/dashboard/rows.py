"""The pool process, its instances and those in line, as the texts of table cells."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ai_model.pool.status import InstanceStatus, PoolStatus
from ai_model.pool.waiting_request import WaitingRequest
from apps.ai_pool.dashboard.mark import Mark, lost_processes
from apps.ai_pool.dashboard.unit import MISSING, Unit, written

MAX_LINE = 20
FOLDED_AFTER = timedelta(minutes=2)
GONE_AFTER = timedelta(minutes=15)
NUM_ID_CHARS = 8
STALLS = {"Some wait for memory": "stall_some", "All wait for memory": "stall_full"}
"""Where the kernel tells: shares of the last ten seconds."""


@dataclass(frozen=True, slots=True)
class Fact:
    """Name and value; ``live`` is the field of the stream it comes from, ``unit`` how the script
    writes it."""

    name: str
    value: str
    live: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class InstanceRow:
    """One instance."""

    index: int
    """Its place in the stream."""
    number: int
    state: str
    request: str
    prompt: str
    tokens: str
    speed: str
    context_percent: int
    kv: str
    since: str
    note: str
    generation: str
    """Of a running answer, the whole id; else empty."""


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """One in line."""

    position: int
    request: str
    waited: str
    promise: str
    visitor: str
    generation: str


@dataclass(frozen=True, slots=True)
class LostRow:
    """A pool process that is there no more."""

    text: str
    ago: str
    is_folded: bool


def process_facts(status: PoolStatus) -> list[Fact]:
    """Return what is to be known of the pool process; empty while there is none."""
    if not status.pid:
        return []
    memory, model = status.memory, status.model
    stalls = [
        Fact(name, written(share, Unit.SHARE), f"memory.{field}", "SHARE")
        for name, field in STALLS.items()
        if (share := getattr(memory, field)) is not None
    ]
    return [
        Fact("Process", str(status.pid), "pid", "TEXT"),
        Fact("State", str(status.state), "state", "TEXT"),
        Fact("Up", written(status.uptime_s, Unit.SECONDS), "uptime_s", "SECONDS"),
        Fact("Restarts", str(status.num_restarts), "num_restarts", "COUNT"),
        Fact(
            "Heartbeat",
            written(status.heartbeat_age_s, Unit.SECONDS),
            "heartbeat_age_s",
            "SECONDS",
        ),
        Fact("Resident", written(memory.rss_bytes, Unit.BYTES), "memory.rss_bytes", "BYTES"),
        Fact("Not droppable", written(memory.anon_bytes, Unit.BYTES), "memory.anon_bytes", "BYTES"),
        *stalls,
        Fact("Model", "none" if model is None else f"{model.name} {model.quant}".strip()),
        Fact("Context", MISSING if model is None else f"{model.n_ctx:,} tokens"),
    ]


def instance_rows(status: PoolStatus) -> list[InstanceRow]:
    """Return a row for each instance."""
    return [_instance(status, instance) for instance in status.instances]


def waiting_rows(line: Sequence[WaitingRequest]) -> list[WaitingRow]:
    """Return the first MAX_LINE of those who wait."""
    return [
        WaitingRow(
            position=one.position,
            request=one.generation[:NUM_ID_CHARS],
            waited=written(one.waited_s, Unit.SECONDS),
            promise=_promise(one),
            visitor=one.visitor,
            generation=one.generation,
        )
        for one in line[:MAX_LINE]
    ]


def lost_rows(marks: Iterable[Mark], now: datetime) -> list[LostRow]:
    """Return the processes that ended in the last quarter of an hour; older ones are forgotten."""
    return [
        LostRow(mark.text, _ago(now - mark.at), now - mark.at > FOLDED_AFTER)
        for mark in lost_processes(marks, now, GONE_AFTER)
        if "after:" in mark.text
    ]


def _instance(status: PoolStatus, one: InstanceStatus) -> InstanceRow:
    n_ctx = status.model.n_ctx if status.model is not None else 0
    return InstanceRow(
        index=one.index,
        number=one.index + 1,
        state=one.state,
        request=one.generation[:NUM_ID_CHARS] or MISSING,
        prompt=f"{_percent(one.num_prompt_done, one.num_prompt)} %" if one.num_prompt else MISSING,
        tokens=written(one.num_generated, Unit.COUNT),
        speed=written(one.tok_s, Unit.RATE).removesuffix(" tok/s") if one.tok_s else MISSING,
        context_percent=_percent(one.num_kv_tokens, n_ctx),
        kv=written(one.kv_bytes, Unit.BYTES),
        since=written(one.since_s, Unit.SECONDS),
        note=_note(one),
        generation="" if one.state == "idle" else one.generation,
    )


def _note(one: InstanceStatus) -> str:
    if one.is_orphan:
        return "nobody watches"
    return "holds a conversation" if one.holds_conversation and one.state == "idle" else ""


def _percent(part: int, whole: int) -> int:
    return min(100, 100 * part // whole) if whole else 0


def _ago(age: timedelta) -> str:
    return written(age.total_seconds(), Unit.SECONDS)


def _promise(one: WaitingRequest) -> str:
    if one.eta_p50_s is None:
        return MISSING
    if one.eta_p90_s is None:
        return written(one.eta_p50_s, Unit.SECONDS)
    return f"{written(one.eta_p50_s, Unit.SECONDS)} to {written(one.eta_p90_s, Unit.SECONDS)}"
