"""What a number of visitors got from a number of instances, expected or measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from apps.ai_pool.capacity_plan.spread import Spread


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One row: visitors, instances, and the seconds they had to wait."""

    num_users: int
    num_instances: int
    total: Spread
    """From the question to the end of the answer."""
    ttft: Spread
    """From the question to its first word."""
    wait: Spread
    """From the question until an instance is free."""
    num_refused: int
    num_failed: int
    """Taken, but not answered: a deadline, an error or a lost line."""
    max_running: int
    """Most answers that were written at the same time."""
    max_waiting: int
    tok_s: float
    """Tokens written in a second, all together."""
    answer_tokens: float
    """Mean length of an answer."""
    prompt_tokens: float
    """Mean tokens of a prompt that had to be read, those that were held not counted."""
    utilisation: float
    """Mean share of the instances that were taken."""
    seconds: float
    """How long it all took."""

    @property
    def visitor_tok_s(self) -> float:
        """The speed at which one visitor's answer appears, in the middle; 0 when unknown."""
        spent = self.total.p50 - self.ttft.p50
        return self.answer_tokens / spent if spent > 0 else 0.0

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "num_users": self.num_users,
            "num_instances": self.num_instances,
            "total_s": self.total.to_json(),
            "ttft_s": self.ttft.to_json(),
            "wait_s": self.wait.to_json(),
            "num_refused": self.num_refused,
            "num_failed": self.num_failed,
            "max_running": self.max_running,
            "max_waiting": self.max_waiting,
            "tok_s": round(self.tok_s, 2),
            "answer_tokens": round(self.answer_tokens, 1),
            "prompt_tokens": round(self.prompt_tokens, 1),
            "utilisation": round(self.utilisation, 3),
            "seconds": round(self.seconds, 1),
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Outcome:
        """Return what ``to_json`` wrote. Raises KeyError or TypeError."""
        values = dict(value)
        for name in ("total", "ttft", "wait"):
            values[name] = Spread(**values.pop(f"{name}_s"))
        return cls(**values)
