"""Making a smaller copy of a model file with llama.cpp's own quantiser."""

from __future__ import annotations

from pathlib import Path

from ai_model.engine import llama_log
from ai_model.engine.errors import EngineError
from ai_model.engine.llama_library import lib

_FILE_TYPES = {
    "Q4_K_M": lib.LLAMA_FTYPE_MOSTLY_Q4_K_M,
    "Q5_K_M": lib.LLAMA_FTYPE_MOSTLY_Q5_K_M,
    "Q8_0": lib.LLAMA_FTYPE_MOSTLY_Q8_0,
}


def quantise(source: Path, target: Path, quant: str, *, num_threads: int) -> None:
    """Write ``source`` (F16 or F32) to ``target`` as ``quant``: Q4_K_M, Q5_K_M or Q8_0.

    Takes about a minute for a billion weights. Raises KeyError for another label and EngineError
    when llama.cpp fails.
    """
    llama_log.install()
    llama_log.recent_errors.clear()
    params = lib.llama_model_quantize_default_params()
    params.ftype = _FILE_TYPES[quant]
    params.nthread = num_threads
    if lib.llama_model_quantize(str(source).encode(), str(target).encode(), params) != 0:
        cause = "; ".join(llama_log.recent_errors) or "no reason given"
        raise EngineError(f"llama.cpp could not quantise {source.name}: {cause}")
