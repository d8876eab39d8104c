"""The engine room: the only place that talks to llama.cpp. It knows nothing of queues, visitors'
rights or sockets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ai_model.engine.config import EngineConfig
from ai_model.engine.errors import (
    DecodeError,
    EngineError,
    EngineNotReady,
    ModelLoadError,
    NoFreeInstance,
)
from ai_model.engine.events import (
    Delta,
    EngineEvent,
    Finished,
    FinishReason,
    Progress,
    Started,
    TokenOdds,
)
from ai_model.engine.model_info import ModelInfo
from ai_model.engine.request import EngineRequest, SamplingParams
from ai_model.engine.snapshot import EngineSnapshot, EngineState, InstanceSnapshot, StepRecord

if TYPE_CHECKING:
    from ai_model.engine.engine import Engine

__all__ = [
    "DecodeError",
    "Delta",
    "Engine",
    "EngineConfig",
    "EngineError",
    "EngineEvent",
    "EngineNotReady",
    "EngineRequest",
    "EngineSnapshot",
    "EngineState",
    "FinishReason",
    "Finished",
    "InstanceSnapshot",
    "ModelInfo",
    "ModelLoadError",
    "NoFreeInstance",
    "Progress",
    "SamplingParams",
    "Started",
    "StepRecord",
    "TokenOdds",
]


def __getattr__(name: str) -> object:
    """Load llama.cpp only for those who run an engine; web processes use the values alone."""
    if name == "Engine":
        from ai_model.engine.engine import Engine

        return Engine
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
