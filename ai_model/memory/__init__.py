"""How tight memory is, by control group, machine and kernel pressure. No Django, no llama.cpp."""

from __future__ import annotations

from ai_model.memory.ladder import Ladder
from ai_model.memory.level import MemoryLevel
from ai_model.memory.reading import MemoryReading, Source
from ai_model.memory.sensor import MemorySensor

__all__ = ["Ladder", "MemoryLevel", "MemoryReading", "MemorySensor", "Source"]
