"""A bare ``llama_decode`` loop: the same steps as the engine's, without the engine, as the
yardstick."""

from __future__ import annotations

import time
from pathlib import Path

from ai_model.engine import amx, llama_log
from ai_model.engine.llama_library import lib


class BareLoop:
    """``num_streams`` sequences in one unified context, fed with fixed tokens, nothing sampled."""

    def __init__(self, model: Path, *, num_streams: int, n_ctx: int, num_threads: int) -> None:
        llama_log.install()
        params = lib.llama_model_default_params()
        params.use_extra_bufts = amx.is_safe_to_pack()
        self._model = lib.llama_model_load_from_file(str(model).encode(), params)
        context = lib.llama_context_default_params()
        context.n_ctx = num_streams * n_ctx
        context.n_batch = context.n_ubatch = 128 + num_streams
        context.n_seq_max = num_streams
        context.n_threads = context.n_threads_batch = num_threads
        context.kv_unified = True
        context.flash_attn_type = lib.LLAMA_FLASH_ATTN_TYPE_ENABLED
        context.no_perf = True
        self._context = lib.llama_init_from_model(self._model, context)
        self._batch = lib.llama_batch_init(128 + num_streams, 0, 1)
        vocabulary = lib.llama_model_get_vocab(self._model)
        self._num_tokens = lib.llama_vocab_n_tokens(vocabulary) - 3
        self._num_streams = num_streams
        self._lengths = [0] * num_streams

    def __enter__(self) -> BareLoop:
        return self

    def __exit__(self, *error: object) -> None:
        lib.llama_batch_free(self._batch)
        lib.llama_free(self._context)
        lib.llama_model_free(self._model)

    def prefill(self, stream: int, num_tokens: int) -> float:
        """Read ``num_tokens`` into ``stream``, the last one with logits; returns the seconds."""
        started = time.perf_counter()
        while num_tokens:
            chunk = min(128, num_tokens)
            for index in range(chunk):
                self._add(stream, wants_logits=index == num_tokens - 1)
            num_tokens -= chunk
            self._decode()
        return time.perf_counter() - started

    def step(self) -> float:
        """Evaluate one token of every stream; returns the seconds."""
        for stream in range(self._num_streams):
            self._add(stream, wants_logits=True)
        started = time.perf_counter()
        self._decode()
        return time.perf_counter() - started

    def _add(self, stream: int, *, wants_logits: bool) -> None:
        row = self._batch.n_tokens
        self._batch.token[row] = 3 + (7 * self._lengths[stream] + stream) % self._num_tokens
        self._batch.pos[row] = self._lengths[stream]
        self._batch.n_seq_id[row] = 1
        self._batch.seq_id[row][0] = stream
        self._batch.logits[row] = wants_logits
        self._batch.n_tokens = row + 1
        self._lengths[stream] += 1

    def _decode(self) -> None:
        code = lib.llama_decode(self._context, self._batch)
        self._batch.n_tokens = 0
        if code:
            raise RuntimeError(f"llama_decode returned {code}")
