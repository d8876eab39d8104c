"""How likely the tokens of an answer were, in the two shapes that OpenAI's API has for it."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import Any

from ai_model.engine.events import TokenOdds
from ai_model.pool.odds_frame import odds_from_json


@dataclass(frozen=True, slots=True)
class TextToken:
    """A token and where in the answer's text it begins, in characters."""

    odds: TokenOdds
    offset: int


class TextTokens:
    """Finds out which tokens go with which part of a text: those that begin in it.

    So the tokens of a stop text, which is not shown, are not told either. Follows the text as the
    engine makes it: whole characters, without the white space before the first word.
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._num_read = 0
        self._num_chars = 0
        self._waiting: list[TextToken] = []

    def take(self, odds: list[Any], num_chars: int) -> list[TextToken]:
        """Return the tokens that begin before ``num_chars`` and were not returned yet.

        ``odds`` are those of the answer from its start, as the pool's frames have them.
        """
        for one in odds_from_json(odds[self._num_read :]):
            self._waiting.append(TextToken(one, self._num_chars))
            text = self._decoder.decode(one.piece)
            self._num_chars += len(text if self._num_chars else text.lstrip())
        self._num_read = len(odds)
        ready = [token for token in self._waiting if token.offset < num_chars]
        # Offsets never fall, so what is ready comes first.
        del self._waiting[: len(ready)]
        return ready


def chat_logprobs(tokens: list[TextToken]) -> dict[str, Any]:
    """As ``/v1/chat/completions`` tells them."""
    content = [
        _entry(token.odds.piece, token.odds.logprob)
        | {"top_logprobs": [_entry(*other) for other in token.odds.top]}
        for token in tokens
    ]
    return {"content": content, "refusal": None}


def text_logprobs(tokens: list[TextToken]) -> dict[str, Any]:
    """As ``/v1/completions`` tells them; offsets count from the start of the answer."""
    return {
        "tokens": [_shown(token.odds.piece) for token in tokens],
        "token_logprobs": [token.odds.logprob for token in tokens],
        "top_logprobs": [
            {_shown(piece): logprob for piece, logprob in token.odds.top} for token in tokens
        ],
        "text_offset": [token.offset for token in tokens],
    }


def _entry(piece: bytes, logprob: float) -> dict[str, Any]:
    return {"token": _shown(piece), "logprob": logprob, "bytes": list(piece)}


def _shown(piece: bytes) -> str:
    return piece.decode("utf-8", "replace")
