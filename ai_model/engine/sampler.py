"""One answer's sampler: llama.cpp's chain of penalties, filters and the final draw."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from ai_model.engine.llama_library import lib
from ai_model.engine.request import SamplingParams


class Sampler:
    """Choose tokens by ``params``. Not thread-safe; close() gives the chain back and is idempotent.

    The filters run in llama.cpp's own default order: penalties, top-k, top-p, min-p, temperature,
    draw.
    """

    def __init__(self, params: SamplingParams, *, num_vocab: int) -> None:
        self._chain = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
        if _has_penalty(params):
            self._add(
                lib.llama_sampler_init_penalties(
                    num_vocab,
                    params.repeat_last_n,
                    params.repeat_penalty,
                    params.frequency_penalty,
                    params.presence_penalty,
                )
            )
        if params.temperature <= 0.0:
            self._add(lib.llama_sampler_init_greedy())
            return
        if params.top_k > 0:
            self._add(lib.llama_sampler_init_top_k(params.top_k))
        if params.top_p < 1.0:
            self._add(lib.llama_sampler_init_top_p(params.top_p, 1))
        if params.min_p > 0.0:
            self._add(lib.llama_sampler_init_min_p(params.min_p, 1))
        self._add(lib.llama_sampler_init_temp(params.temperature))
        seed = params.seed if params.seed is not None else secrets.randbits(32)
        self._add(lib.llama_sampler_init_dist(seed))

    def sample(self, ctx: lib.llama_context_p, row: int) -> int:
        """Return the next token from the logits of batch row ``row``, and remember it for the
        penalties."""
        return int(lib.llama_sampler_sample(self._chain, ctx, row))

    def accept(self, tokens: Iterable[int]) -> None:
        """Remember tokens that were generated earlier, as if sampled here."""
        for token in tokens:
            lib.llama_sampler_accept(self._chain, token)

    def close(self) -> None:
        """Give the chain back."""
        if self._chain:
            lib.llama_sampler_free(self._chain)
            self._chain = None

    def _add(self, sampler: lib.llama_sampler_p) -> None:
        lib.llama_sampler_chain_add(self._chain, sampler)


def _has_penalty(params: SamplingParams) -> bool:
    is_neutral = (
        params.repeat_penalty == 1.0
        and params.frequency_penalty == 0.0
        and params.presence_penalty == 0.0
    )
    return params.repeat_last_n > 0 and not is_neutral
