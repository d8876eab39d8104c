"""A body's values must be of the types the description says."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework import serializers

from apps.api.json_types import ExactTypes
from apps.api.serializers import FeedbackSerializer, QuestionSerializer

ID = "0b2c8a52-3f4d-4b58-9d6f-64f2d3a8f001"


class Everything(ExactTypes, serializers.Serializer):  # type: ignore[type-arg]
    """One field of each kind that bodies have."""

    text = serializers.CharField(required=False, allow_null=True, max_length=5)
    number = serializers.IntegerField(required=False)
    is_on = serializers.BooleanField(required=False)
    thumb = serializers.ChoiceField(choices=[1, -1], required=False)
    theme = serializers.ChoiceField(choices=["light", "dark"], required=False)
    id = serializers.UUIDField(required=False)
    when = serializers.DateTimeField(required=False)
    words = serializers.ListField(child=serializers.CharField(max_length=5), required=False)
    context = serializers.DictField(required=False)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("text", 5),
        ("text", True),
        ("number", "5"),
        ("number", True),
        ("number", 1.5),
        ("is_on", "yes"),
        ("is_on", 1),
        ("thumb", "1"),
        ("thumb", True),
        ("theme", 1),
        ("id", 17),
        ("when", 2026),
        ("words", ["one", 2]),
        ("words", "one"),
        ("context", "one"),
        ("text", {"a": "b"}),
        ("text", "one   "),
        ("words", ["one", "two   "]),
    ],
)
def test_another_type_is_refused(name: str, value: Any) -> None:
    given = Everything(data={name: value})
    assert not given.is_valid()
    assert list(given.errors) == [name]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("text", "5"),
        ("text", None),
        ("number", 5),
        ("is_on", False),
        ("thumb", -1),
        ("theme", "dark"),
        ("id", ID),
        ("when", "2026-01-01T10:00:00Z"),
        ("words", ["one"]),
        ("context", {"page": "prices"}),
    ],
)
def test_its_own_type_is_taken(name: str, value: Any) -> None:
    given = Everything(data={name: value})
    assert given.is_valid(), given.errors


def test_all_that_is_wrong_is_told_at_once() -> None:
    given = FeedbackSerializer(data={"value": "1", "comment": -236851})
    assert not given.is_valid()
    assert {name: str(said[0]) for name, said in given.errors.items()} == {
        "value": "It must be a JSON integer.",
        "comment": "It must be a JSON string.",
    }


def test_what_is_no_object_is_left_to_the_serializer() -> None:
    assert not QuestionSerializer(data=[]).is_valid()
