"""Finds, among some thousand questions, those that look like a given one.

An inverted index over pieces of three characters. A piece counts the more, the fewer questions have
it: "opening" tells more than "what". An index never changes once it is made and may be shared by
threads.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from apps.ai_chat.wording import grams

MAX_POSTINGS = 15_000
"""Entries looked at for one question; bounds the time whatever is asked."""
MAX_CANDIDATES = 50
"""Questions that are compared in full."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A wording that can be found."""

    answer_id: int
    text: str
    normalised: str


@dataclass(frozen=True, slots=True)
class Near:
    """A wording that is similar, from 0 (nothing in common) to 1 (the same pieces)."""

    answer_id: int
    text: str
    score: float


class QuestionIndex:
    """The wordings of one site in the languages that matter to one visitor."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = tuple(entries)
        self._grams = tuple(grams(entry.normalised) for entry in self.entries)
        postings: defaultdict[str, list[int]] = defaultdict(list)
        for place, pieces in enumerate(self._grams):
            for piece in pieces:
                postings[piece].append(place)
        self._postings = dict(postings)
        self._totals = tuple(self._weight_of(pieces) for pieces in self._grams)

    def find(self, normalised: str, *, limit: int, least: float) -> tuple[Near, ...]:
        """The best wordings, at most one of each answer, best first; none below ``least``."""
        asked = grams(normalised)
        if not asked or not self.entries:
            return ()
        total = self._weight_of(asked)
        ranked = []
        for place in self._candidates(asked):
            shared = self._weight_of(asked & self._grams[place])
            score = 2 * shared / (total + self._totals[place])
            if score >= least:
                ranked.append((-score, place))
        best: dict[int, Near] = {}
        for negative, place in sorted(ranked):
            entry = self.entries[place]
            best.setdefault(entry.answer_id, Near(entry.answer_id, entry.text, -negative))
            if len(best) == limit:
                break
        return tuple(best.values())

    def _candidates(self, asked: frozenset[str]) -> list[int]:
        """Places of the questions that share the most, judged by the rarest pieces first."""
        lists = sorted((found for piece in asked if (found := self._postings.get(piece))), key=len)
        shared: Counter[int] = Counter()
        num_seen = 0
        for places in lists:
            if num_seen and num_seen + len(places) > MAX_POSTINGS:
                break
            num_seen += len(places)
            shared.update(places)
        return [place for place, _ in shared.most_common(MAX_CANDIDATES)]

    def _weight_of(self, pieces: Iterable[str]) -> float:
        num = len(self.entries)
        # Sorted: a sum of floats must not depend on the order of a set.
        return math.fsum(
            math.log1p(num / max(1, len(self._postings.get(piece, ())))) for piece in pieces
        )
