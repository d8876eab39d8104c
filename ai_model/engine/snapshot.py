"""What an engine looks like from outside at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from ai_model.engine.model_info import ModelInfo

if TYPE_CHECKING:
    from ai_model.engine.step_cost import StepCost


class EngineState(StrEnum):
    """The life of an engine."""

    LOADING = "loading"
    """Also while a switch of the model waits for running answers."""
    READY = "ready"
    SLEEPING = "sleeping"
    """The model was given back after a time without requests; wake() loads it again."""
    FAILED = "failed"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceSnapshot:
    """One instance: ``state`` is idle, prefill or decode; ``since_s`` the seconds it has been in
    it."""

    index: int
    state: str
    request_id: str
    conversation: str
    num_prompt: int
    num_prompt_done: int
    num_generated: int
    tok_s: float
    num_kv_tokens: int
    kv_bytes: int
    since_s: float


@dataclass(frozen=True, slots=True)
class StepRecord:
    """What one step evaluated and how long it took, in seconds."""

    num_decode: int
    num_prefill: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSnapshot:
    """An engine: ``failure`` is a sentence when ``state`` is FAILED; ``heartbeat_age_s`` the
    seconds since its last step or idle turn."""

    state: EngineState
    failure: str
    model: ModelInfo | None
    n_ctx: int
    instances: tuple[InstanceSnapshot, ...]
    heartbeat_age_s: float
    decode_tok_s: float
    prefill_tok_s: float
    parked_bytes: int = 0
    """KV states of conversations that hold no instance."""
    step_cost: StepCost | None = None
    """What steps cost here, as far as it has been measured and learned."""
    mapped_file: Path | None = None
    """The model file whose pages are the weights; None without a model, and when it was copied."""
