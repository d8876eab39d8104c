"""Whether llama.cpp's kernels for AMX, the matrix unit of newer Xeons, can be used here.

They double to triple the engine's speed, but a compiler that drops the stores to the tile
configuration (GCC 12 does) makes them end the process with SIGSEGV: decision 0005. So where they
are built in, a child process tries them on the small demo model first.
"""

from __future__ import annotations

import logging
import math
import subprocess
import sys
from functools import cache
from pathlib import Path

from ai_model.engine.llama_library import lib

logger = logging.getLogger(__name__)

TRIAL_MODEL = Path(__file__).parents[1] / "weights" / "demo.gguf"
TRIAL_TIMEOUT_S = 30.0
_TOKENS = (5, 9, 13, 17, 21, 25, 29, 33, 37)
"""More than one row, since a single one takes another way; not a multiple of a tile."""
_TOLERANCE = 0.05
"""Largest relative distance between the logits of two sound kernels."""


def is_built_in() -> bool:
    """Whether the installed llama.cpp would use AMX."""
    return b"AMX_INT8 = 1" in lib.llama_print_system_info()


@cache
def is_usable() -> bool:
    """Whether AMX is built in and computes what the other kernels do.

    The first call runs a child process for about a second. Thread-safe.
    """
    if not is_built_in():
        return False
    command = [sys.executable, "-m", "ai_model.engine.amx"]
    root = Path(__file__).parents[2]
    try:
        trial = subprocess.run(command, cwd=root, capture_output=True, timeout=TRIAL_TIMEOUT_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        logger.warning("AMX could not be tried and is left alone: %s", error)
        return False
    if trial.returncode != 0:
        logger.warning(
            "AMX is left alone: the installed llama.cpp was compiled without the flags it needs "
            "(trial ended with %d). Run `make clean`, then `make install`.",
            trial.returncode,
        )
    return trial.returncode == 0


def is_safe_to_pack() -> bool:
    """Whether a model may be loaded with llama.cpp's extra buffer types, which bring AMX along."""
    return is_usable() or not is_built_in()


def distance(left: list[float], right: list[float]) -> float:
    """Return the Euclidean distance between two vectors, relative to the length of ``right``."""
    return math.dist(left, right) / max(math.hypot(*right), 1e-9)


def _logits(*, with_amx: bool) -> list[float]:
    """Return the last logits of a fixed batch of tokens."""
    model_params = lib.llama_model_default_params()
    model_params.use_extra_bufts = with_amx
    model = lib.llama_model_load_from_file(str(TRIAL_MODEL).encode(), model_params)
    params = lib.llama_context_default_params()
    params.n_ctx = params.n_batch = params.n_ubatch = 256
    params.n_threads = params.n_threads_batch = 1
    context = lib.llama_init_from_model(model, params) if model else None
    if not context:
        raise RuntimeError(f"{TRIAL_MODEL.name} cannot be loaded")
    tokens = (lib.llama_token * len(_TOKENS))(*_TOKENS)
    if lib.llama_decode(context, lib.llama_batch_get_one(tokens, len(_TOKENS))) != 0:
        raise RuntimeError("the batch was refused")
    num_vocab = lib.llama_vocab_n_tokens(lib.llama_model_get_vocab(model))
    return list(lib.llama_get_logits_ith(context, -1)[:num_vocab])


def main() -> int:
    """Compute the same with AMX and without; returns 0 when both agree."""
    found = distance(_logits(with_amx=True), _logits(with_amx=False))
    return 0 if found < _TOLERANCE else 1


if __name__ == "__main__":
    sys.exit(main())
