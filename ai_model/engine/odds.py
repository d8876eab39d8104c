"""How likely a model found a token, and what it found likelier: the log-softmax of one row."""

from __future__ import annotations

import ctypes
import math
from array import array

from ai_model.engine.llama_library import lib

LEAST = -9999.0
"""Stands for what is too small for a number that JSON can carry."""
_NUM_FIELDS = 3
"""Words of 32 bits in one ``llama_token_data``: id, logit, p."""


class Odds:
    """Reads the raw logits of a batch row, before temperature, penalties and filters.

    Works in memory of its own (24 bytes for each token of the vocabulary) and leaves the logits as
    they are. The arithmetic is llama.cpp's: a vocabulary in Python would take longer than a step.
    Not thread-safe; close() gives the samplers back and is idempotent.
    """

    def __init__(self, num_vocab: int) -> None:
        self._num_vocab = num_vocab
        self._data = (lib.llama_token_data * num_vocab)()
        words = memoryview(self._data).cast("B")
        self._ids, self._numbers = words.cast("i"), words.cast("f")
        self._all_ids = memoryview(array("i", range(num_vocab)))
        self._softmax = lib.llama_sampler_init_dist(0)
        self._sorts: dict[int, lib.llama_sampler_p] = {}

    def read(
        self, ctx: lib.llama_context_p, row: int, token: int, num_top: int
    ) -> tuple[float, tuple[tuple[int, float], ...]]:
        """Return the logarithm of the probability of ``token`` in ``row``, and the ``num_top``
        likeliest tokens with theirs, likeliest first."""
        logits = lib.llama_get_logits_ith(ctx, row)
        raw = ctypes.cast(logits, ctypes.POINTER(ctypes.c_float * self._num_vocab)).contents
        self._ids[::_NUM_FIELDS] = self._all_ids
        self._numbers[1::_NUM_FIELDS] = memoryview(raw).cast("B").cast("f")
        row_data = lib.llama_token_data_array(self._data, self._num_vocab, -1, False)
        lib.llama_sampler_apply(self._softmax, ctypes.byref(row_data))
        # Sorted apart from the softmax, which needs all of them.
        lib.llama_sampler_apply(self._sort(max(1, num_top)), ctypes.byref(row_data))
        best = self._data[0]
        # What is far below the likeliest has a probability of 0 here and a logarithm all the same.
        log_of_sum = best.logit - math.log(best.p) if best.p > 0 else math.inf
        chosen = _finite(raw[token] - log_of_sum)
        top = tuple((int(one.id), _finite(one.logit - log_of_sum)) for one in self._data[:num_top])
        return chosen, top

    def close(self) -> None:
        """Give the samplers back."""
        for sampler in (self._softmax, *self._sorts.values()):
            if sampler:
                lib.llama_sampler_free(sampler)
        self._softmax = None
        self._sorts.clear()

    def _sort(self, num_top: int) -> lib.llama_sampler_p:
        if num_top not in self._sorts:
            self._sorts[num_top] = lib.llama_sampler_init_top_k(num_top)
        return self._sorts[num_top]


def _finite(value: float) -> float:
    # Not a number is not above it either.
    return min(0.0, value) if value > LEAST else LEAST
