"""Whether this machine can run the chosen model and profile: what fits, and how fast it is."""

from __future__ import annotations

import math
import os
import statistics
import tempfile
import time
from pathlib import Path

from ai_model.engine.step_cost import attended_cells
from apps.ai_pool.capacity_plan.figures import Figures
from apps.ai_pool.doctor.finding import Finding, Level, good
from apps.ai_pool.limit_checks import READING_TOK_S

QUESTION_TOKENS = 100
"""A system prompt of the usual size and a short question."""
LATE_S = 5.0
SLOW_SYNC_MS = 100.0
NUM_SYNCS = 5
_SLOWER = (
    "Use a smaller quantisation (`manage.py model list`), more or faster processors, or fewer "
    "tokens to read: a smaller CORRAL_N_CTX."
)


def judge_writing(figures: Figures) -> list[Finding]:
    """Whether answers come as fast as they are read: one alone, and all instances at once, each
    with half of its context filled."""
    alone, crowd = writing_tok_s(figures, 1), writing_tok_s(figures, figures.num_instances)
    speed = f"{_short(alone)} tokens a second alone"
    if figures.num_instances > 1:
        speed += f", {_short(crowd)} each when {figures.num_instances} are written at once"
    if alone < READING_TOK_S:
        sentence = f"Answers are slower than they are read: {speed}."
        return [Finding("writing-slow", Level.ERROR, sentence, _SLOWER)]
    if crowd < READING_TOK_S:
        sentence = f"Answers are slower than they are read when all are busy: {speed}."
        fix = f"Set CORRAL_MAX_INSTANCES={_most_instances(figures)}: others then wait in line."
        return [Finding("writing-crowded", Level.WARNING, sentence, fix)]
    return [good("writing", f"Answers come at {speed}.")]


def judge_reading(figures: Figures) -> list[Finding]:
    """Whether a new visitor's first word comes soon."""
    seconds = reading_s(figures, QUESTION_TOKENS)
    words = f"A new conversation of {QUESTION_TOKENS} tokens is read in {_short(seconds)} s"
    if seconds > LATE_S:
        return [Finding("reading-slow", Level.WARNING, f"{words}: first words are late.", _SLOWER)]
    return [good("reading", f"{words}.")]


def judge_storing(directory: Path) -> list[Finding]:
    """Whether the disk keeps what it is told to keep in good time: every question waits for it."""
    took_ms = sync_ms(directory)
    words = f"The disk of {directory} takes {took_ms:.0f} ms to keep a small write"
    if took_ms > SLOW_SYNC_MS:
        fix = "Set CORRAL_VAR_DIR to a local disk, not a network share or a memory card."
        return [Finding("disk-slow", Level.WARNING, f"{words}.", fix)]
    return [good("disk-speed", f"{words}.")]


def writing_tok_s(figures: Figures, num_instances: int) -> float:
    """Return the tokens per second of each of so many answers written at once."""
    filled = figures.n_ctx // 2
    cells = num_instances * attended_cells(filled, 1, num_instances * filled)
    tok_s = 1000 / figures.step_cost.ms(num_instances, cells)
    return min(tok_s, figures.max_tok_s) if figures.max_tok_s else tok_s


def reading_s(figures: Figures, num_tokens: int) -> float:
    """Return the seconds in which a prompt is read that nothing is known of."""
    total_ms, start = 0.0, 0
    for _ in range(math.ceil(num_tokens / figures.chunk_tokens)):
        count = min(figures.chunk_tokens, num_tokens - start)
        total_ms += figures.step_cost.ms(count, attended_cells(start, count, start + count))
        start += count
    return total_ms / 1000


def sync_ms(directory: Path) -> float:
    """Return the milliseconds that a small write takes until it is on the disk (median)."""
    took = []
    with tempfile.TemporaryFile(dir=directory) as file:
        for _ in range(NUM_SYNCS):
            began_at = time.perf_counter()
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
            took.append((time.perf_counter() - began_at) * 1000)
    return statistics.median(took)


def _short(number: float) -> str:
    """Two digits that matter."""
    return f"{number:.0f}" if number >= 10 else f"{number:.1f}" if number >= 1 else f"{number:.2f}"


def _most_instances(figures: Figures) -> int:
    fitting = (
        number
        for number in range(figures.num_instances, 1, -1)
        if writing_tok_s(figures, number) >= READING_TOK_S
    )
    return next(fitting, 1)
