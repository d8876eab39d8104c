"""What is known of a loaded model."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInfo:
    """Facts about a loaded model."""

    name: str
    quant: str
    n_ctx_train: int
    num_parameters: int
    size_bytes: int
    kv_bytes_per_token: int
    is_demo: bool
