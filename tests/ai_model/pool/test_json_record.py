"""Records are read by their fields: strictly in type, leniently in what is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from ai_model.pool.errors import BadFrame
from ai_model.pool.json_record import MAX_COUNTS, read_record


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheep:
    """One of each type."""

    name: str
    age: int = 3
    weight: float = 1.5
    is_black: bool = False
    lambs: int | None = None
    speed: float | None = None
    visits: Mapping[str, int] = field(default_factory=dict)
    friend: object = None


def test_missing_fields_get_their_defaults_and_unknown_ones_are_ignored() -> None:
    assert read_record(Sheep, {"name": "Dolly", "wings": 2}, "sheep", friend=1) == Sheep(
        name="Dolly", friend=1
    )


def test_values_are_taken() -> None:
    value = {
        "name": "D",
        "age": 4,
        "weight": 2,
        "is_black": True,
        "lambs": 1,
        "speed": 0.5,
        "visits": {"fox": 2},
    }
    assert read_record(Sheep, value, "sheep", friend=None) == Sheep(**value)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": None},
        {"age": -1},
        {"age": 1.0},
        {"age": True},
        {"age": None},
        {"weight": float("nan")},
        {"weight": "1"},
        {"is_black": 1},
        {"lambs": "x"},
        {"speed": []},
        {"visits": {"fox": "often"}},
        {"visits": {str(number): 1 for number in range(MAX_COUNTS + 1)}},
        {"visits": []},
    ],
)
def test_wrong_types_are_bad_frames(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadFrame):
        read_record(Sheep, {"name": "D"} | wrong, "sheep", friend=None)


@pytest.mark.parametrize("value", [None, [], "text", {}])
def test_what_is_no_record_is_a_bad_frame(value: object) -> None:
    with pytest.raises(BadFrame):
        read_record(Sheep, value, "sheep", friend=None)


def test_a_type_without_a_rule_is_a_mistake_of_ours() -> None:
    with pytest.raises(TypeError, match="friend"):
        read_record(Sheep, {"name": "D"}, "sheep")
