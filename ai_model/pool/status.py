"""How a pool is doing, as one value: the source of every status page, command and metric."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

from ai_model.memory.level import MemoryLevel
from ai_model.memory.rung import WARNING_PRESSURE
from ai_model.pool.errors import BadFrame
from ai_model.pool.fields import Fields
from ai_model.pool.frames import PROTOCOL
from ai_model.pool.histogram import HistogramFigures
from ai_model.pool.json_record import read_record
from ai_model.pool.temporary_limit import LimitName, TemporaryLimit
from ai_model.pool.wait_record import WaitFigures

MAX_INSTANCES = 1024
MAX_STATE_CHARS = 16
MAX_LATENCIES = 32
ORPHAN_S = 15.0
"""A running answer that nobody has watched for so long is an orphan. A page that is loaded again,
or whose line breaks, is back sooner."""


class PoolState(StrEnum):
    """What the pool can do at the moment."""

    LOADING = "loading"
    READY = "ready"
    PAUSED = "paused"
    """Takes nothing new because the operator says so; ``notice`` is what visitors are told."""
    FAILED = "failed"
    DRAINING = "draining"
    DOWN = "down"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelStatus:
    """The loaded model."""

    name: str
    quant: str
    is_demo: bool
    n_ctx: int
    """Context of one conversation, in tokens."""
    num_parameters: int = 0
    size_bytes: int = 0
    kv_bytes_per_token: int = 0
    step_us: Mapping[str, int] = field(default_factory=dict)
    """What a step costs here, in microseconds by its number of tokens."""
    cell_us: float = 0.0
    """What it costs more for every cell of the KV cache that a token looks at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceStatus:
    """One instance. ``state`` is idle, prefill or decode."""

    index: int
    state: str
    generation: str = ""
    holds_conversation: bool = False
    num_prompt: int = 0
    num_prompt_done: int = 0
    num_generated: int = 0
    tok_s: float = 0.0
    num_kv_tokens: int = 0
    kv_bytes: int = 0
    since_s: float = 0.0
    unwatched_s: float | None = None
    """Seconds for which nobody has read this answer; None while somebody does, or none is made."""

    @property
    def is_orphan(self) -> bool:
        """Whether it works on an answer that nobody waits for."""
        return self.unwatched_s is not None and self.unwatched_s >= ORPHAN_S


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryStatus:
    """What the pool process holds in memory, in bytes, and how tight memory is."""

    rss_bytes: int = 0
    """Resident memory of the pool process, the pages of the mapped model file included."""
    anon_bytes: int = 0
    """The part of it that the kernel cannot drop and read again from a file."""
    weights_bytes: int = 0
    kv_bytes: int = 0
    """KV states of the conversations that the instances hold now."""
    kv_reserved_bytes: int = 0
    """KV states of all instances with a full context."""
    parked_bytes: int | None = None
    """KV states kept outside of instances; None when the engine does not tell."""
    limit_bytes: int = 0
    """Memory the site may use (cgroup or machine); 0 when nobody has measured it."""
    pressure: float | None = None
    """Memory needed as a share of the limit, 1.0 and above being too much; None if unknown."""
    resting_pressure: float | None = None
    """The same at rest, right after loading: what the profile needs by design."""
    level: str = ""
    """low, medium, high or critical; empty if unknown."""
    level_s: float = 0.0
    """Seconds for which it has been that level."""
    reason: str = ""
    """A sentence for the operator: why this level, with what was measured."""
    kill_pressure: float | None = None
    """Memory that the kernel cannot drop, as a share of the limit: at 1.0 it kills."""
    unreclaimable_bytes: int = 0
    """The same in bytes: all that counts against the limit, whoever holds it."""
    switch: str = ""
    """The operator's switch of the emergency mode: auto, on or off; empty if unknown."""
    stall_some: float | None = None
    """Share of the last 10 s, 0 to 1, in which some task waited for memory (the kernel's
    pressure-stall information); None where the kernel does not tell."""
    stall_full: float | None = None
    """The same for all tasks at once."""

    @property
    def is_warned(self) -> bool:
        """Whether memory is above the line of warning although its level is low yet."""
        return (
            self.level == MemoryLevel.LOW
            and self.pressure is not None
            and self.pressure >= WARNING_PRESSURE
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolStatus:
    """One pool at one moment. Holds no text of any visitor.

    Counts are since the start of the pool process. Quantiles of waits and first texts are those of
    the last 5 minutes, those of cancels of the last hour; None means that nothing was measured.
    """

    state: PoolState
    reason: str = ""
    """A sentence for the operator whenever ``state`` is not ready: the cause and what to do."""
    notice: str = ""
    """What visitors are told while the pool is paused, in the operator's words."""
    protocol: str = PROTOCOL
    pid: int = 0
    life: str = ""
    """Names this run of the pool; another one counts from 0 again. Empty if it does not tell."""
    uptime_s: float = 0.0
    num_restarts: int = 0
    """Pool processes that died before this one, as the supervisor has counted them."""
    last_restart_cause: str = ""
    """Why the last of them died, in a few words."""
    sandbox: str = ""
    """What the pool process can no longer do, in words; empty when it has given up nothing."""
    sandbox_gaps: str = ""
    """What it was to give up and could not, with the reason."""
    model: ModelStatus | None = None
    model_is_demo: bool = False
    num_instances: int = 0
    """Instances there are now."""
    hot_instances: int = 0
    """Instances that are always there."""
    max_instances: int = 0
    """Instances the pool may grow to."""
    num_running: int = 0
    num_waiting: int = 0
    queue_size: int = 0
    limits: tuple[TemporaryLimit, ...] = ()
    """Limits that the operator changed for a while."""
    limit_values: Mapping[str, int] = field(default_factory=dict)
    """What every limit that can be so changed is now, by name."""
    oldest_wait_s: float = 0.0
    """How long the one who waits longest has waited; 0 when nobody waits."""
    waiting_tokens: int = 0
    """Estimated work in the line, in tokens of prompts and answers."""
    instances: tuple[InstanceStatus, ...] = ()
    heartbeat_age_s: float = 0.0
    decode_tok_s: float = 0.0
    """Tokens written per second of the clock while somebody is answered, all answers together."""
    prefill_tok_s: float = 0.0
    """Tokens read per second of the work on them."""
    num_accepted: int = 0
    num_refused: int = 0
    num_done: int = 0
    """Answers: complete ones, those at their length limit, and those the visitor stopped."""
    outcomes: Mapping[str, int] = field(default_factory=dict)
    """Ended generations by outcome."""
    errors: Mapping[str, int] = field(default_factory=dict)
    """Generations that ended with an error, by its code."""
    deadlines: Mapping[str, int] = field(default_factory=dict)
    """Deadlines that passed, by kind."""
    refusals: Mapping[str, int] = field(default_factory=dict)
    """Requests not taken, by the code of the error."""
    refusal_reasons: Mapping[str, int] = field(default_factory=dict)
    """The same by the limit that they met."""
    num_prompt_tokens: int = 0
    num_cached_tokens: int = 0
    """Prompt tokens that needed no reading because an instance already held them."""
    num_generated_tokens: int = 0
    running_s: float = 0.0
    """Seconds that instances have been taken, summed over instances."""
    instance_s: float = 0.0
    """Seconds that instances have been there, summed over instances."""
    utilisation_15min: float | None = None
    """Mean instances running / instances."""
    utilisation_24h: float | None = None
    wait_p50_s: float | None = None
    wait_p95_s: float | None = None
    ttft_p50_s: float | None = None
    ttft_p95_s: float | None = None
    cancel_p50_s: float | None = None
    """From a cancel until its instance is free."""
    cancel_p95_s: float | None = None
    latencies: Mapping[str, HistogramFigures] = field(default_factory=dict)
    """How long things took since the start, by kind (see latencies.py)."""
    eta_s: float | None = None
    """Seconds a request that came now would wait, at the median; None when unknown."""
    eta: WaitFigures = field(default_factory=WaitFigures)
    """How true the promised waits were."""
    memory: MemoryStatus = field(default_factory=MemoryStatus)

    @classmethod
    def down(cls, reason: str) -> PoolStatus:
        """Return the status of a pool that does not answer."""
        return cls(state=PoolState.DOWN, reason=reason)

    @property
    def num_available(self) -> int:
        """Instances that could take a request now; none unless the pool is ready."""
        if self.state is not PoolState.READY:
            return 0
        return max(0, self.num_instances - self.num_running)

    @property
    def num_orphans(self) -> int:
        """Running answers that nobody watches."""
        return sum(instance.is_orphan for instance in self.instances)

    @property
    def reuse_ratio(self) -> float | None:
        """Share of prompt tokens that needed no reading; None before the first prompt."""
        if not self.num_prompt_tokens:
            return None
        return min(1.0, self.num_cached_tokens / self.num_prompt_tokens)

    @property
    def ok_ratio(self) -> float | None:
        """Share of answers among what ended; who went away by themselves do not count."""
        num_ended = sum(self.outcomes.values()) - self.outcomes.get("cancelled", 0)
        return min(1.0, self.num_done / num_ended) if num_ended > 0 else None

    @property
    def kv_bytes_per_instance(self) -> int:
        """What one instance more costs with a full context; 0 when no model is loaded."""
        return 0 if self.model is None else self.model.n_ctx * self.model.kv_bytes_per_token

    def as_text(self) -> str:
        """Return the four lines that owners of such pools know."""
        return (
            "Pool Status:\n"
            f"   Available: {self.num_available}/{self.num_instances}\n"
            f"   In Use: {self.num_running}\n"
            f"   Waiting: {self.num_waiting}"
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        values = asdict(replace(self, latencies={}))
        return values | {
            "state": str(self.state),
            "instances": list(values["instances"]),
            "limits": [limit.to_json() for limit in self.limits],
            "latencies": {kind: figures.to_json() for kind, figures in self.latencies.items()},
        }

    @classmethod
    def from_json(cls, value: object) -> PoolStatus:
        """Return the status that ``to_json`` wrote, of this release or another. Raises BadFrame.

        Unknown fields are ignored, missing ones get their defaults, and an unknown state is DOWN.
        """
        values = Fields(value, "status")
        state = values.text("state", max_chars=MAX_STATE_CHARS)
        model = values.optional_mapping("model")
        return read_record(
            cls,
            value,
            "status",
            state=PoolState(state) if state in set(PoolState) else PoolState.DOWN,
            protocol=values.text("protocol", max_chars=32),
            model=None if model is None else read_record(ModelStatus, model, "model"),
            instances=tuple(
                read_record(InstanceStatus, item, "instance")
                for item in values.items("instances", max_items=MAX_INSTANCES, default=[])
            ),
            limits=tuple(
                TemporaryLimit.from_json(item)
                for item in values.items("limits", max_items=len(LimitName), default=[])
            ),
            latencies=_read_latencies(values.mapping("latencies", default={})),
            eta=read_record(WaitFigures, values.mapping("eta", default={}), "eta"),
            memory=read_record(MemoryStatus, values.mapping("memory", default={}), "memory"),
        )


def _read_latencies(value: Mapping[str, Any]) -> dict[str, HistogramFigures]:
    if len(value) > MAX_LATENCIES:
        raise BadFrame(f"latencies has more than {MAX_LATENCIES} kinds")
    return {kind: HistogramFigures.from_json(one, kind) for kind, one in value.items()}
