"""Questions of simulated visitors: everyday words, another question every time."""

from __future__ import annotations

import random

from apps.ai_pool.capacity_plan.workload import Workload

MARKER_TOKENS = 10
"""Role markers around a question."""
TOKENS_PER_WORD = 1.1
"""Of these short words, in the vocabulary of TinyLlama."""
_TEXT = """
time year people way day man thing woman life child world school state family student group
country problem hand part place case week company system program question work number night point
home water room mother area money story fact month lot right study book eye job word business issue
side kind head house service friend father power hour game line end member
"""
_WORDS = _TEXT.split()


def question_text(workload: Workload, visitor: int, turn: int) -> str:
    """Return a question of about the workload's length."""
    choose = random.Random(f"{workload.seed} {visitor} {turn}")
    num_words = max(1, round((workload.question_tokens - MARKER_TOKENS) / TOKENS_PER_WORD))
    return " ".join(choose.choice(_WORDS) for _ in range(num_words)) + "?"
