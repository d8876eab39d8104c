"""How a pool is doing, as one value: the source of every status page, command and metric."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from ai_model.pool.fields import Fields
from ai_model.pool.frames import PROTOCOL

MAX_INSTANCES = 1024


class PoolState(StrEnum):
    """What the pool can do at the moment."""

    LOADING = "loading"
    READY = "ready"
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


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolStatus:
    """One pool at one moment. Holds no text of any visitor."""

    state: PoolState
    reason: str = ""
    """A sentence for the operator whenever ``state`` is not ready: the cause and what to do."""
    protocol: str = PROTOCOL
    pid: int = 0
    uptime_s: float = 0.0
    model: ModelStatus | None = None
    model_is_demo: bool = False
    num_instances: int = 0
    num_running: int = 0
    num_waiting: int = 0
    queue_size: int = 0
    instances: tuple[InstanceStatus, ...] = ()
    heartbeat_age_s: float = 0.0
    decode_tok_s: float = 0.0
    prefill_tok_s: float = 0.0
    num_accepted: int = 0
    num_refused: int = 0
    num_done: int = 0
    outcomes: Mapping[str, int] = field(default_factory=dict)
    wait_p50_s: float | None = None
    wait_p95_s: float | None = None
    ttft_p50_s: float | None = None
    ttft_p95_s: float | None = None
    eta_s: float | None = None
    """Seconds a request that came now would wait, at the median; None when unknown."""

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
        values = asdict(self)
        return values | {
            "state": str(self.state),
            "instances": list(values["instances"]),
            "outcomes": dict(self.outcomes),
        }

    @classmethod
    def from_json(cls, value: object) -> PoolStatus:
        """Return the status that ``to_json`` wrote; unknown fields are ignored. Raises BadFrame."""
        values = Fields(value, "status")
        state = values.text("state", max_chars=16)
        raw = values.optional_mapping("model")
        outcomes = values.mapping("outcomes", default={})
        counts = Fields(outcomes, "outcomes")
        return cls(
            state=PoolState(state) if state in set(PoolState) else PoolState.DOWN,
            reason=values.text("reason", default=""),
            protocol=values.text("protocol", max_chars=32),
            pid=values.integer("pid", default=0),
            uptime_s=values.number("uptime_s", default=0.0),
            model=None if raw is None else _model(Fields(raw, "model")),
            model_is_demo=values.flag("model_is_demo", default=False),
            num_instances=values.integer("num_instances", default=0),
            num_running=values.integer("num_running", default=0),
            num_waiting=values.integer("num_waiting", default=0),
            queue_size=values.integer("queue_size", default=0),
            instances=tuple(
                _instance(Fields(item, "instance"))
                for item in values.items("instances", max_items=MAX_INSTANCES, default=[])
            ),
            heartbeat_age_s=values.number("heartbeat_age_s", default=0.0),
            decode_tok_s=values.number("decode_tok_s", default=0.0),
            prefill_tok_s=values.number("prefill_tok_s", default=0.0),
            num_accepted=values.integer("num_accepted", default=0),
            num_refused=values.integer("num_refused", default=0),
            num_done=values.integer("num_done", default=0),
            outcomes={key: counts.integer(key) for key in outcomes},
            wait_p50_s=values.optional_number("wait_p50_s"),
            wait_p95_s=values.optional_number("wait_p95_s"),
            ttft_p50_s=values.optional_number("ttft_p50_s"),
            ttft_p95_s=values.optional_number("ttft_p95_s"),
            eta_s=values.optional_number("eta_s"),
        )


def _model(values: Fields) -> ModelStatus:
    return ModelStatus(
        name=values.text("name"),
        quant=values.text("quant"),
        is_demo=values.flag("is_demo"),
        n_ctx=values.integer("n_ctx"),
        num_parameters=values.integer("num_parameters", default=0),
        size_bytes=values.integer("size_bytes", default=0),
        kv_bytes_per_token=values.integer("kv_bytes_per_token", default=0),
    )


def _instance(values: Fields) -> InstanceStatus:
    return InstanceStatus(
        index=values.integer("index"),
        state=values.text("state", max_chars=16),
        generation=values.text("generation", default=""),
        holds_conversation=values.flag("holds_conversation", default=False),
        num_prompt=values.integer("num_prompt", default=0),
        num_prompt_done=values.integer("num_prompt_done", default=0),
        num_generated=values.integer("num_generated", default=0),
        tok_s=values.number("tok_s", default=0.0),
        num_kv_tokens=values.integer("num_kv_tokens", default=0),
        kv_bytes=values.integer("kv_bytes", default=0),
        since_s=values.number("since_s", default=0.0),
    )
