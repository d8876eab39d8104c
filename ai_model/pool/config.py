"""Everything a pool process needs to know, as one value that travels as JSON."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from ai_model.engine.config import EngineConfig
from ai_model.pool.errors import BadFrame
from ai_model.pool.fields import Fields

MAX_PEAK_HOURS_CHARS = 500
EMERGENCY_MODES = ("auto", "on", "off")


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolConfig:
    """Limits of one pool. Raises ValueError, naming the field, for values that cannot work."""

    model_path: Path
    model_is_demo: bool = False
    """The bundled demo model: said in the status even before it is loaded."""
    max_instances: int = 4
    """Conversations answered at the same time."""
    hot_instances: int = 0
    """Instances that are always there; 0 means all."""
    peak_hours: str = ""
    """When how many instances are to be there whatever the demand, as the owner wrote it."""
    n_ctx: int = 2048
    """Context of one conversation, in tokens."""
    max_tokens: int = 512
    """Longest answer, in tokens."""
    max_messages: int = 200
    """History messages the model sees at most."""
    num_threads: int = 1
    chunk_tokens: int = 128
    """Prompt tokens read in one step while nobody else is answered."""
    target_itl_ms: float = 300.0
    """Longest time between two tokens of a running answer that reading a prompt may cause, in
    milliseconds."""
    max_tok_s: float = 0.0
    """Pace of one instance in tokens per second; 0 is no limit."""
    parked_bytes: int = 250 * 1024 * 1024
    """Memory for the KV states of conversations that hold no instance, in bytes."""
    calm_parked_bytes: int = 2**40
    """The same while memory is tight: what the profile is made for."""
    prefix_tokens: int = 1024
    """Context cells reserved for system prompts together."""
    has_flash_attention: bool = True
    repeat_last_n: int = 64
    """Last tokens of an answer that should not be repeated, whatever the request says."""
    curve_instances: int = 0
    """Instances there may be instead of ``max_instances`` when the measured cost of steps says that
    more answer faster together; 0 leaves it as it is."""
    kv_bytes_per_token: int = 0
    """Of the model, as its file says; 0 is unknown. What a start will need is computed from it."""
    emergency: str = "auto"
    """The operator's switch: auto, on (emergency mode now), off (never)."""
    idle_sleep_s: float = 0.0
    """Give the model back after so many seconds without a request; 0 is never."""
    gpu_layers: int = 0
    queue_size: int = 32
    """Requests that may wait."""
    max_waiting_tokens: int = 32_768
    """Work that may wait, in estimated tokens of prompts and answers together."""
    max_running_per_visitor: int = 2
    """Requests of one visitor that may hold an instance at the same time while others wait."""
    max_inflight_per_visitor: int = 2
    """Requests of one visitor that may wait or run at the same time."""
    max_inflight_per_address: int = 16
    """Requests from one block of addresses that may wait or run at the same time."""
    timeout_s: float = 120.0
    """Longest wait for an instance, in seconds."""
    first_token_timeout_s: float = 30.0
    """Longest wait for the first token once running, in seconds; a long prompt gets three times its
    predicted reading time."""
    stall_timeout_s: float = 20.0
    """Longest time without any sign of progress from the engine, in seconds."""
    total_timeout_s: float = 180.0
    """Longest time with an instance, in seconds."""

    def __post_init__(self) -> None:
        for name, value, low, high in (
            ("max_instances", self.max_instances, 1, 128),
            ("hot_instances", self.hot_instances, 0, self.max_instances),
            ("n_ctx", self.n_ctx, 64, 131_072),
            ("max_tokens", self.max_tokens, 1, 65_536),
            ("max_messages", self.max_messages, 0, 1000),
            ("num_threads", self.num_threads, 1, 512),
            ("chunk_tokens", self.chunk_tokens, 1, 4096),
            ("parked_bytes", self.parked_bytes, 0, 2**40),
            ("calm_parked_bytes", self.calm_parked_bytes, 0, 2**40),
            ("prefix_tokens", self.prefix_tokens, 0, 131_072),
            ("repeat_last_n", self.repeat_last_n, 0, 4096),
            ("curve_instances", self.curve_instances, 0, 128),
            ("kv_bytes_per_token", self.kv_bytes_per_token, 0, 2**32),
            ("gpu_layers", self.gpu_layers, 0, 1000),
            ("queue_size", self.queue_size, 0, 10_000),
            ("max_waiting_tokens", self.max_waiting_tokens, 1, 2**40),
            ("max_running_per_visitor", self.max_running_per_visitor, 1, 10_000),
            ("max_inflight_per_visitor", self.max_inflight_per_visitor, 1, 10_000),
            ("max_inflight_per_address", self.max_inflight_per_address, 1, 100_000),
        ):
            if not low <= value <= high:
                raise ValueError(f"{name} must lie between {low} and {high}, not {value}")
        for name, seconds in (
            ("target_itl_ms", self.target_itl_ms),
            ("timeout_s", self.timeout_s),
            ("first_token_timeout_s", self.first_token_timeout_s),
            ("stall_timeout_s", self.stall_timeout_s),
            ("total_timeout_s", self.total_timeout_s),
        ):
            if not 0 < seconds < 1e7:
                raise ValueError(f"{name} must be positive, not {seconds}")
        if not 0 <= self.idle_sleep_s < 1e7:
            raise ValueError(f"idle_sleep_s must not be negative, not {self.idle_sleep_s}")
        if not 0 <= self.max_tok_s < 1e7:
            raise ValueError(f"max_tok_s must not be negative, not {self.max_tok_s}")
        if self.emergency not in EMERGENCY_MODES:
            raise ValueError(f"emergency must be one of {', '.join(EMERGENCY_MODES)}")
        if len(self.peak_hours) > MAX_PEAK_HOURS_CHARS:
            raise ValueError(f"peak_hours must have at most {MAX_PEAK_HOURS_CHARS} characters")

    def engine_config(self) -> EngineConfig:
        """Return the part of these limits that the engine keeps."""
        return EngineConfig(
            model_path=self.model_path,
            num_instances=self.max_instances,
            n_ctx=self.n_ctx,
            num_threads=self.num_threads,
            chunk_tokens=self.chunk_tokens,
            target_itl_ms=self.target_itl_ms,
            max_tok_s=self.max_tok_s,
            parked_bytes=self.parked_bytes,
            prefix_tokens=self.prefix_tokens,
            has_flash_attention=self.has_flash_attention,
            idle_sleep_s=self.idle_sleep_s,
            gpu_layers=self.gpu_layers,
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values; the model path is made absolute."""
        return asdict(self) | {"model_path": os.path.abspath(self.model_path)}

    @classmethod
    def from_json(cls, value: object) -> PoolConfig:
        """Return the config that ``to_json`` wrote. Raises BadFrame, for unknown fields too."""
        values = Fields(value, "the pool configuration")
        known = {field.name: field for field in fields(cls)}
        given = set(value) if isinstance(value, dict) else set()
        if unknown := sorted(given - set(known)):
            raise BadFrame(f"the pool configuration has unknown fields: {', '.join(unknown)}")
        arguments: dict[str, Any] = {"model_path": Path(values.text("model_path"))}
        for name, field in known.items():
            if name == "model_path":
                continue
            default: Any = field.default
            if field.type == "bool":
                arguments[name] = values.flag(name, default=default)
            elif field.type == "int":
                arguments[name] = values.integer(name, default=default)
            elif field.type == "str":
                arguments[name] = values.text(name, default=default)
            else:
                arguments[name] = values.number(name, default=default)
        try:
            return cls(**arguments)
        except ValueError as error:
            raise BadFrame(f"the pool configuration is wrong: {error}") from None
