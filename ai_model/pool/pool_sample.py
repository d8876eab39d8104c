"""What a pool did in a short time, in numbers: one point of every plot."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import Field, dataclass, field, fields
from enum import Enum, auto
from typing import Any

from ai_model.pool.errors import BadFrame
from ai_model.pool.fields import Fields
from ai_model.pool.json_record import read_record
from ai_model.pool.status import PoolStatus

MAX_COLUMNS = 200
LARGEST_SUM = 2**53 - 1
"""Sums end here: larger integers do not survive JSON."""


class Rule(Enum):
    """How the values of many samples become one."""

    MEAN = auto()
    """Weighted by the number of samples; samples without a value do not count."""
    MAX = auto()
    SUM = auto()


def _rolled(rule: Rule, default: float | None = 0) -> Any:
    return field(default=default, metadata={"rule": rule})


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSample:
    """The numbers of one period: means, maxima, and what was added to the counters in it.

    Counters are those of the period, not totals, so a pool that starts again at 0 takes nothing
    away from any sum.
    """

    unix_s: float = _rolled(Rule.MAX)
    """When the period ended, in seconds since 1970: for display and storage, never for a timeout.
    It names the sample, since two pools never run at once."""
    seconds: float = _rolled(Rule.SUM)
    """How long the period was."""
    num_samples: int = _rolled(Rule.SUM, 1)
    """How many samples were rolled into this one."""

    num_waiting: float = _rolled(Rule.MEAN)
    num_instances: float = _rolled(Rule.MEAN)
    decode_tok_s: float = _rolled(Rule.MEAN)
    prefill_tok_s: float = _rolled(Rule.MEAN)
    wait_p50_s: float | None = _rolled(Rule.MEAN, None)
    ttft_p50_s: float | None = _rolled(Rule.MEAN, None)

    max_waiting: int = _rolled(Rule.MAX)
    max_running: int = _rolled(Rule.MAX)
    wait_p95_s: float | None = _rolled(Rule.MAX, None)
    ttft_p95_s: float | None = _rolled(Rule.MAX, None)
    oldest_wait_s: float = _rolled(Rule.MAX)
    heartbeat_age_s: float = _rolled(Rule.MAX)
    rss_bytes: int = _rolled(Rule.MAX)
    anon_bytes: int = _rolled(Rule.MAX)
    weights_bytes: int = _rolled(Rule.MAX)
    kv_bytes: int = _rolled(Rule.MAX)
    parked_bytes: int = _rolled(Rule.MAX)
    limit_bytes: int = _rolled(Rule.MAX)
    pressure: float | None = _rolled(Rule.MAX, None)
    stall_some: float | None = _rolled(Rule.MAX, None)
    """Share of the time in which some task waited for memory; None where nobody tells."""
    stall_full: float | None = _rolled(Rule.MAX, None)

    num_starts: int = _rolled(Rule.SUM)
    """Pool processes whose first sample this is: a mark in the plots."""
    running_s: float = _rolled(Rule.SUM)
    instance_s: float = _rolled(Rule.SUM)
    num_accepted: int = _rolled(Rule.SUM)
    num_refused: int = _rolled(Rule.SUM)
    num_done: int = _rolled(Rule.SUM)
    """Answers that the model ended by itself."""
    num_length: int = _rolled(Rule.SUM)
    num_user_stop: int = _rolled(Rule.SUM)
    num_deadline: int = _rolled(Rule.SUM)
    num_cancelled: int = _rolled(Rule.SUM)
    num_failed: int = _rolled(Rule.SUM)
    num_expired: int = _rolled(Rule.SUM)
    num_pool_lost: int = _rolled(Rule.SUM)
    num_prompt_tokens: int = _rolled(Rule.SUM)
    num_cached_tokens: int = _rolled(Rule.SUM)
    num_generated_tokens: int = _rolled(Rule.SUM)
    num_promises: int = _rolled(Rule.SUM)
    """Promised waits that were put to the test; the sums below are over these."""
    num_promises_kept: int = _rolled(Rule.SUM)
    promised_s: float = _rolled(Rule.SUM)
    """Promised p50."""
    promised_p90_s: float = _rolled(Rule.SUM)
    real_wait_s: float = _rolled(Rule.SUM)

    @property
    def utilisation(self) -> float | None:
        """Mean instances running / instances; None when there was no instance."""
        return min(1.0, self.running_s / self.instance_s) if self.instance_s > 0 else None

    @property
    def num_ended(self) -> int:
        """Generations that ended in any way."""
        return sum(getattr(self, name) for name in OUTCOME_FIELDS.values())


OUTCOME_FIELDS = {
    name: f"num_{name}"
    for name in (
        "done",
        "length",
        "user_stop",
        "deadline",
        "cancelled",
        "failed",
        "expired",
        "pool_lost",
    )
}
"""The field that counts an outcome."""


def sample_between(
    before: PoolStatus | None, after: PoolStatus, *, unix_s: float, seconds: float
) -> PoolSample:
    """Return what happened from ``before`` to ``after``, a period of ``seconds``.

    ``before`` is None, or the status of another process, when a pool has just started: then all it
    has counted belongs to this period.
    """
    is_first = before is None or is_other_process(before, after)
    old = _totals(None if is_first else before)
    added = {
        # A total that went down has started again at 0.
        name: total - old[name] if total >= old[name] else total
        for name, total in _totals(after).items()
    }
    memory = after.memory
    return PoolSample(
        unix_s=round(unix_s, 3),
        seconds=round(seconds, 3),
        num_waiting=after.num_waiting,
        num_instances=after.num_instances,
        decode_tok_s=after.decode_tok_s,
        prefill_tok_s=after.prefill_tok_s,
        wait_p50_s=after.wait_p50_s,
        ttft_p50_s=after.ttft_p50_s,
        max_waiting=after.num_waiting,
        max_running=after.num_running,
        wait_p95_s=after.wait_p95_s,
        ttft_p95_s=after.ttft_p95_s,
        oldest_wait_s=after.oldest_wait_s,
        heartbeat_age_s=after.heartbeat_age_s,
        rss_bytes=memory.rss_bytes,
        anon_bytes=memory.anon_bytes,
        weights_bytes=memory.weights_bytes,
        kv_bytes=memory.kv_bytes,
        parked_bytes=memory.parked_bytes or 0,
        limit_bytes=memory.limit_bytes,
        pressure=memory.pressure,
        stall_some=memory.stall_some,
        stall_full=memory.stall_full,
        num_starts=int(is_first),
        **added,
    )


def is_other_process(before: PoolStatus, after: PoolStatus) -> bool:
    """Return whether the pool was started again between two looks at it."""
    return before.pid != after.pid or after.uptime_s < before.uptime_s


def roll(samples: Sequence[PoolSample]) -> PoolSample:
    """Return the sample of the whole time of ``samples``. Raises ValueError when there is none."""
    if not samples:
        raise ValueError("nothing to roll up")
    return PoolSample(**{item.name: _roll_field(item, samples) for item in fields(PoolSample)})


def to_json(samples: Iterable[PoolSample]) -> dict[str, Any]:
    """Return plain JSON values: the names of the fields once, and a row for each sample."""
    names = [item.name for item in fields(PoolSample)]
    return {
        "fields": names,
        "rows": [[_short(getattr(sample, name)) for name in names] for sample in samples],
    }


def from_json(value: object, *, max_samples: int) -> tuple[PoolSample, ...]:
    """Return the samples that ``to_json`` wrote, of this release or another. Raises BadFrame.

    Unknown fields are ignored and missing ones get their defaults.
    """
    values = Fields(value, "history")
    names = values.items("fields", max_items=MAX_COLUMNS)
    samples = []
    for row in values.items("rows", max_items=max_samples):
        if not isinstance(row, list) or len(row) != len(names):
            raise BadFrame("a row of the history has not one value for each field")
        if not all(isinstance(name, str) for name in names):
            raise BadFrame("a field of the history has no name")
        samples.append(read_record(PoolSample, dict(zip(names, row, strict=True)), "sample"))
    return tuple(samples)


def _totals(status: PoolStatus | None) -> dict[str, Any]:
    """Return what a status counts since the start of its pool; zeros for none."""
    names = (
        "running_s",
        "instance_s",
        "num_accepted",
        "num_refused",
        "num_prompt_tokens",
        "num_cached_tokens",
        "num_generated_tokens",
    )
    promises = (
        "num_promises",
        "num_promises_kept",
        "promised_s",
        "promised_p90_s",
        "real_wait_s",
    )
    if status is None:
        return dict.fromkeys((*names, *promises, *OUTCOME_FIELDS.values()), 0)
    return (
        {name: getattr(status, name) for name in names}
        | {name: getattr(status.eta, name) for name in promises}
        | {name: status.outcomes.get(outcome, 0) for outcome, name in OUTCOME_FIELDS.items()}
    )


def _roll_field(item: Field[Any], samples: Sequence[PoolSample]) -> Any:
    name = item.name
    values = [value for sample in samples if (value := getattr(sample, name)) is not None]
    if not values:
        return None
    rule = item.metadata["rule"]
    if rule is Rule.MAX:
        return max(values)
    if rule is Rule.SUM:
        return min(LARGEST_SUM, sum(values))
    weights = [sample.num_samples for sample in samples if getattr(sample, name) is not None]
    weight = sum(weights)
    total = sum(value * times for value, times in zip(values, weights, strict=True))
    return total / weight if weight else values[-1]


def _short(value: Any) -> Any:
    return round(value, 3) if isinstance(value, float) else value
