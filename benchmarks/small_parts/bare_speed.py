"""What one core of the group can do at all: run in the group, prints one JSON object.

``python -m benchmarks.small_parts.bare_speed MODEL decode CONTEXT TOKENS`` or ``... prefill PROFILE
TOKENS``.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path

from ai_model.engine import Engine, EngineConfig, EngineState
from ai_model.profiles import PROFILES
from benchmarks.bare import BareLoop
from benchmarks.own_thread import run_on_own_thread
from benchmarks.session import LOAD_TIMEOUT_S, prompt_of, submit


def decode_tok_s(model: Path, context: int, num_tokens: int) -> float:
    """Return the speed of a bare loop that writes behind ``context`` tokens with one thread."""

    def run() -> float:
        with BareLoop(model, num_streams=1, n_ctx=1024, num_threads=1) as loop:
            loop.prefill(0, context)
            loop.step()
            return 1 / statistics.mean(loop.step() for _ in range(num_tokens))

    return run_on_own_thread(run)


def prefill_tok_s(model: Path, profile_name: str, num_tokens: int) -> float:
    """Return how fast the engine reads with the values of a profile, with one thread."""
    profile = PROFILES[profile_name]
    engine = Engine(
        EngineConfig(
            model_path=model,
            num_instances=1,
            n_ctx=profile.n_ctx,
            num_threads=1,
            chunk_tokens=profile.chunk_tokens,
            parked_bytes=0,
            has_flash_attention=profile.has_flash_attention,
        )
    )
    engine.start()
    try:
        until = time.monotonic() + LOAD_TIMEOUT_S
        while engine.state is EngineState.LOADING and time.monotonic() < until:
            time.sleep(0.01)
        if engine.state is not EngineState.READY:
            raise RuntimeError(engine.snapshot().failure or "the model did not load in time")
        # The model comes from disk with the first one.
        submit(engine, prompt_of(engine, 16, 1), name="first", max_tokens=1).finish()
        answer = submit(engine, prompt_of(engine, num_tokens, 2), name="read", max_tokens=1)
        answer.finish()
        return num_tokens / answer.ttft_s
    finally:
        engine.close(timeout_s=60)


def main() -> None:
    """Measure what the command line says."""
    model, kind, first, count = sys.argv[1:]
    if kind == "decode":
        value = decode_tok_s(Path(model), int(first), int(count))
    else:
        value = prefill_tok_s(Path(model), first, int(count))
    print(json.dumps({"tok_s": value}))


if __name__ == "__main__":
    main()
