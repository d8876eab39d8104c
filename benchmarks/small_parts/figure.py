"""One row of the small server's table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.report import Row


@dataclass(frozen=True, slots=True)
class Figure:
    """Something measured, and what it has to be."""

    what: str
    value: float | str
    unit: str = ""
    at_most: float | None = None
    at_least: float | None = None

    @property
    def is_good(self) -> bool | None:
        """Whether the bar is kept; None without one."""
        if isinstance(self.value, str) or (self.at_most is None and self.at_least is None):
            return None
        is_low = self.at_most is None or self.value <= self.at_most
        return is_low and (self.at_least is None or self.value >= self.at_least)

    @property
    def bar(self) -> str:
        """The bar, for the table."""
        if self.at_most is not None:
            return f"<= {self.at_most:g}"
        return "" if self.at_least is None else f">= {self.at_least:g}"

    def as_row(self, part: str) -> Row:
        """Return it as a row of the report."""
        words = {None: "", True: "yes", False: "no"}
        value = self.value if isinstance(self.value, str) else float(self.value)
        return {
            "part": part,
            "what": self.what,
            "value": value,
            "unit": self.unit,
            "bar": self.bar,
            "ok": words[self.is_good],
        }


Part = Callable[[Path, bool], list[Figure]]
"""Measures with a model, roughly if the second argument says so; raises RuntimeError."""
MB = 1e6
"""As the bars count."""
GROUP_BYTES = int(1.65 * 2**30)
"""What a rented "2 GB" machine leaves beside its system."""
TIGHT_BYTES = int(1.2 * 2**30)
"""A group in which Q8_0 only just fits."""
