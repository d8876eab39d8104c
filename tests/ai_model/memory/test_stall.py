"""Pressure-stall information."""

from __future__ import annotations

from pathlib import Path

import pytest

from ai_model.memory.stall import Stall, read_stall


@pytest.mark.parametrize(
    ("text", "stall"),
    [
        ("some avg10=1.50 avg60=2.00 total=1\nfull avg10=0.25 avg60=9.00 total=1\n", (1.5, 0.25)),
        ("some avg10=1.50 avg60=2.00 total=1\n", (1.5, None)),
        ("some avg10=rubbish\nfull avg60=9.00\n", (None, None)),
        ("some avg10=1.5", (None, None)),
        ("", (None, None)),
    ],
)
def test_text(tmp_path: Path, text: str, stall: tuple[float | None, float | None]) -> None:
    (tmp_path / "memory.pressure").write_text(text)
    assert read_stall(tmp_path / "memory.pressure") == Stall(*stall)


def test_kernel_without_it(tmp_path: Path) -> None:
    assert read_stall(tmp_path / "missing") == Stall()
