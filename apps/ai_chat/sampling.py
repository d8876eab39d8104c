"""How answers are drawn, by the settings and by what the model in use can bear."""

from __future__ import annotations

from django.conf import settings

from ai_model.engine.request import SamplingParams
from ai_model.pool.status import PoolStatus

DEMO_TEMPERATURE = 0.2
"""The demo model is small: it keeps to the point only when it is careful."""
LONGEST = 65_536
"""The pool cuts this down to the profile's or CORRAL_MAX_TOKENS."""


def sampling_for(status: PoolStatus) -> SamplingParams:
    """The sampling of an answer asked for now."""
    temperature = settings.CORRAL_TEMPERATURE
    if status.model_is_demo:
        temperature = min(temperature, DEMO_TEMPERATURE)
    return SamplingParams(temperature=temperature, max_tokens=LONGEST)
