"""Amounts of memory, read and said."""

from __future__ import annotations

import pytest

from ai_model.amount import parse_amount, say_amount


@pytest.mark.parametrize(
    ("text", "num_bytes"),
    [
        ("2G", 2 << 30),
        ("1.65GiB", int(1.65 * (1 << 30))),
        (" 512 m ", 512 << 20),
        ("100", 100),
        ("64KB", 65536),
        ("0", 0),
        ("1T", 1 << 40),
    ],
)
def test_read(text: str, num_bytes: int) -> None:
    assert parse_amount(text) == num_bytes


@pytest.mark.parametrize(
    "text", ["", "G", "-1G", "2X", "1e9", "nan", "2G 3G", "9" * 13, "9999999T"]
)
def test_others_are_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="memory"):
        parse_amount(text)


def test_said() -> None:
    assert (say_amount(0), say_amount(1023 << 20)) == ("0 MiB", "1023 MiB")
    assert say_amount(int(1.65 * (1 << 30))) == "1.65 GiB"
