"""What visitors do: how long they read and type, and how long questions and answers are."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """Visitors who each hold one conversation: pause, ask, wait for the whole answer, again.

    Lengths are in tokens. Raises ValueError for values that cannot be.
    """

    num_users: int
    num_turns: int = 5
    think_s: float = 60.0
    """Mean pause before a question: half a minute to read an answer of 90 words, and as long to
    type one of 25. Pauses are exponential, four times the mean at most."""
    question_tokens: int = 40
    """With the markers around it."""
    answer_tokens: int = 120
    """Mean length of an answer."""
    answer_spread: float = 0.5
    """Standard deviation of the logarithm of that length; 0 makes all answers equally long."""
    system_tokens: int = 60
    seed: int = 1

    def __post_init__(self) -> None:
        for name, value, least in (
            ("num_users", self.num_users, 1),
            ("num_turns", self.num_turns, 1),
            ("question_tokens", self.question_tokens, 1),
            ("answer_tokens", self.answer_tokens, 1),
            ("system_tokens", self.system_tokens, 0),
        ):
            if not least <= value <= 100_000:
                raise ValueError(f"{name} must lie between {least} and 100000, not {value}")
        if not 0 <= self.think_s <= 86_400:
            raise ValueError(f"think_s must lie between 0 and 86400, not {self.think_s}")
        if not 0 <= self.answer_spread <= 3:
            raise ValueError(f"answer_spread must lie between 0 and 3, not {self.answer_spread}")

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)
