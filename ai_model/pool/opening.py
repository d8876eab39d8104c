"""How an answer begins: its prompt, what it has already, and how far it may go."""

from __future__ import annotations

from dataclasses import dataclass

from ai_model.pool.request import PoolRequest
from ai_model.prompt import FittedPrompt, Tokenizer, encode_answer, fit_prompt


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What the engine needs to begin an answer, or to go on with it."""

    prompt: FittedPrompt
    produced: tuple[int, ...]
    """The tokens the answer has already."""
    max_tokens: int
    """Tokens it may have in all, those included."""
    is_capped: bool = False
    """Whether that is less than usual, to save memory."""
    has_short_memory: bool = False
    """Whether earlier exchanges were left out to save memory."""


def make_opening(
    request: PoolRequest, *, tokenizer: Tokenizer, n_ctx: int, max_tokens: int, max_messages: int
) -> Opening:
    """Return the opening of the answer to ``request``, which may add ``max_tokens`` tokens.

    A text without its tokens is tokenised as the beginning of the answer. Takes milliseconds.
    Raises PromptTooLong and ValueError.
    """
    given = encode_answer(request.produced_text[: request.num_given_chars], tokenizer)
    if request.produced:
        given = given[: len(request.produced)]
    prompt = fit_prompt(
        request.messages,
        tokenizer=tokenizer,
        n_ctx=n_ctx,
        max_tokens=max_tokens,
        max_messages=max_messages,
        num_given=len(given),
    )
    return Opening(
        prompt=prompt,
        produced=request.produced or given,
        max_tokens=len(given) + prompt.max_tokens,
    )
