"""How many tokens a text is: as the model counts, or never fewer when it can not be asked."""

from __future__ import annotations

from dataclasses import dataclass

from apps.ai_pool import services as pool


@dataclass(frozen=True, slots=True)
class TokenCount:
    """A number of tokens; when it is not exact, the true one is not above it."""

    number: int
    is_exact: bool


def count_tokens(text: str) -> TokenCount:
    """Ask the pool's tokenizer; a pool that is away is not waited for. Never raises."""
    if not text:
        return TokenCount(0, True)
    try:
        number = pool.count_tokens(text)
    except ValueError:
        # Longer than the pool counts, and far longer than anything we accept.
        number = None
    return TokenCount(number, True) if number is not None else TokenCount(upper_bound(text), False)


def upper_bound(text: str) -> int:
    """A number of tokens that no tokenizer exceeds: every token stands for at least one byte.

    One more is for the space that some tokenizers put in front.
    """
    return len(text.encode(errors="surrogatepass")) + 1
