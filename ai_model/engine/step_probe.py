"""Measures what a step of a model costs on this machine, in a process of its own.

``python -m ai_model.engine.step_probe --model PATH --threads 2`` prints one JSON object: ``points``
(tokens, milliseconds) and ``cell_ms``. It takes up to half a minute, and the memory of the model.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import replace
from pathlib import Path

from ai_model.engine import cost_curve
from ai_model.engine.abort_flag import AbortFlag
from ai_model.engine.config import EngineConfig
from ai_model.engine.context import Context
from ai_model.engine.errors import EngineError
from ai_model.engine.model import Model
from ai_model.engine.seating import Seating
from ai_model.engine.step_cost import StepCost, attended_cells

BUDGET_S = 12.0
"""Longer than a start of the pool allows itself, for all sizes and steadier values."""
BEHIND_TOKENS = 512
"""Length of the conversation behind which one token is timed, to learn what a cell costs."""
CHUNK_TOKENS = 64
NUM_SINGLE_STEPS = 5
FIRST_TOKEN = 3


def probe(config: EngineConfig) -> StepCost:
    """Return what steps cost. Raises ModelLoadError when the model cannot be loaded."""
    model = Model(config.model_path)
    try:
        seating = Seating(model, config, AbortFlag())
        try:
            curve = cost_curve.measure(
                seating.context, num_vocab=model.num_vocab, budget_s=BUDGET_S
            )
            cost = StepCost.from_curve(curve)
            measured = _cell_ms(seating.context, cost, min(BEHIND_TOKENS, seating.n_ctx // 2))
            return replace(cost, cell_ms=max(cost.cell_ms / 10, measured))
        finally:
            seating.close()
    finally:
        model.close()


def _cell_ms(context: Context, cost: StepCost, length: int) -> float:
    """Return what looking at one cell takes: a token behind ``length`` others against one alone."""
    context.clear()
    for start in range(0, length, CHUNK_TOKENS):
        _decode(context, start, min(CHUNK_TOKENS, length - start))
    took = min(_decode(context, length + more, 1) for more in range(NUM_SINGLE_STEPS))
    context.clear()
    return (took - cost.curve.cost_ms(1)) / attended_cells(length, 1, length)


def _decode(context: Context, start: int, count: int) -> float:
    for position in range(start, start + count):
        is_last = position == start + count - 1
        context.add(FIRST_TOKEN, position=position, sequence=0, wants_logits=is_last)
    started = time.perf_counter()
    context.decode()
    return (time.perf_counter() - started) * 1000


def main() -> None:
    """Measure and print; a model that cannot be used is one sentence and exit code 1."""
    parser = argparse.ArgumentParser(description="What a step of a model costs.")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--n-ctx", type=int, default=1024)
    arguments = parser.parse_args()
    config = EngineConfig(
        model_path=arguments.model,
        num_instances=1,
        n_ctx=arguments.n_ctx,
        num_threads=arguments.threads,
        parked_bytes=0,
    )
    try:
        cost = probe(config)
    except (EngineError, OSError) as error:
        sys.exit(str(error))
    print(json.dumps({"points": cost.curve.points, "cell_ms": cost.cell_ms}))


if __name__ == "__main__":
    main()
