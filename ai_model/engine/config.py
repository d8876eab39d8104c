"""How an engine runs one model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

MAX_INSTANCES = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineConfig:
    """Limits of one engine. Raises ValueError for values that cannot work."""

    model_path: Path
    num_instances: int = 4
    """Conversations answered at the same time; each is one sequence of the shared context."""
    n_ctx: int = 2048
    """Context of one instance in tokens; lowered to what the model was trained on."""
    num_threads: int = 1
    chunk_tokens: int = 128
    """Prompt tokens read in one step while nobody else is answered."""
    target_itl_ms: float = 300.0
    """Longest time between two tokens of a running answer that reading a prompt may cause, in
    milliseconds."""
    max_tok_s: float = 0.0
    """Pace of one instance in tokens per second; 0 is no limit."""
    idle_sleep_s: float = 0.0
    """Give the model back after so many seconds without a request; 0 is never."""
    gpu_layers: int = 0
    num_prefixes: int = 8
    """System prompts kept ready to be copied into an instance."""
    prefix_tokens: int = 1024
    """Context cells reserved for those system prompts together."""
    parked_bytes: int = 250 * 1024 * 1024
    """Memory for the KV states of conversations that hold no instance, in bytes."""
    has_flash_attention: bool = True
    """Without it answers are slower and nothing is saved; only to compare with."""

    def __post_init__(self) -> None:
        for name, value, low, high in (
            ("num_instances", self.num_instances, 1, MAX_INSTANCES),
            ("n_ctx", self.n_ctx, 64, 131_072),
            ("num_threads", self.num_threads, 1, 512),
            ("chunk_tokens", self.chunk_tokens, 1, 4096),
            ("num_prefixes", self.num_prefixes, 0, 64),
        ):
            if not low <= value <= high:
                raise ValueError(f"{name} must lie between {low} and {high}, not {value}")
        not_negative = (self.max_tok_s, self.idle_sleep_s, self.prefix_tokens, self.parked_bytes)
        if self.target_itl_ms <= 0 or min(not_negative) < 0:
            raise ValueError("target_itl_ms must be positive, the other limits not negative")
