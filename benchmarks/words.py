"""Text for benchmarks: everyday words, the same for the same seed."""

from __future__ import annotations

import random

_TEXT = """
time year people way day man thing woman life child world school state family student group
country problem hand part place case week company system program question work government
number night point home water room mother area money story fact month lot right study book eye
job word business issue side kind head house service friend father power hour game line end
member law car city community name president team minute idea body information back parent face
others level office door health person art war history party result change morning reason
research girl guy moment air teacher force
"""
_WORDS = _TEXT.split()

SYSTEM_PROMPT_WORDS = 74
"""Words of a system prompt that is about 90 tokens long with its markers."""


def words(count: int, seed: int) -> str:
    """Return ``count`` words chosen by ``seed``."""
    choose = random.Random(seed)
    return " ".join(choose.choice(_WORDS) for _ in range(count))
