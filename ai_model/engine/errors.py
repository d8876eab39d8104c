"""What can go wrong in the engine.

EngineError
├── ModelLoadError     the file cannot be used; the message is a sentence for the operator
├── EngineNotReady     the model is still loading, failed to load, or the engine is closed
├── NoFreeInstance     every instance holds a request
├── DecodeError        llama.cpp refused a step
└── ContextLost        there is no memory for a context any more, not even for the one there was
"""

from __future__ import annotations


class EngineError(Exception):
    """Do not raise directly."""


class ModelLoadError(EngineError):
    """The model cannot be loaded. The message is one sentence with the cause."""


class EngineNotReady(EngineError):
    """A request came before the model was loaded, after loading failed, or after close()."""


class NoFreeInstance(EngineError):
    """A request came while every instance was taken; the caller queues, the engine does not."""


class DecodeError(EngineError):
    """llama.cpp returned an error for a step. ``code`` is the value ``llama_decode`` returned."""

    def __init__(self, code: int) -> None:
        super().__init__(f"llama.cpp could not evaluate a batch (code {code})")
        self.code = code


class ContextLost(EngineError):
    """A resize gave the context back and memory sufficed for no other: the engine cannot go on."""
