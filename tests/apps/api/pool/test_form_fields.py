"""Forms of actions as JSON."""

from __future__ import annotations

from typing import Any

import pytest
from django import forms
from rest_framework.exceptions import ValidationError

from ai_model.pool.status import PoolStatus
from apps.ai_pool.actions.action import Action
from apps.ai_pool.actions.registry import ACTIONS
from apps.api.pool.form_fields import first_complaint, form_data, form_schema


class Example(forms.Form):
    """One of each kind."""

    text = forms.CharField(label="Sentence", max_length=9, help_text="Plain.")
    number = forms.IntegerField(min_value=1, max_value=5)
    minutes = forms.TypedChoiceField(choices=[(1, "one"), (2, "two")], coerce=int, initial=2)
    kind = forms.ChoiceField(choices=[("a", "A")], required=False)
    is_sure = forms.BooleanField(required=False)


FIELDS: dict[str, forms.Field] = Example.base_fields


def test_the_schema() -> None:
    assert form_schema(FIELDS) == {
        "type": "object",
        "required": ["text", "number"],
        "additionalProperties": False,
        "properties": {
            "text": {"type": "string", "maxLength": 9, "description": "Sentence - Plain."},
            "number": {"type": "integer", "minimum": 1, "maximum": 5},
            "minutes": {"type": "integer", "enum": [1, 2], "default": 2},
            "kind": {"type": "string", "enum": ["a"]},
            "is_sure": {"type": "boolean"},
        },
    }
    assert "required" not in form_schema({})


def test_absent_fields_are_as_usual() -> None:
    form = Example(form_data(FIELDS, {"text": "x", "number": 3}))
    assert form.is_valid(), form.errors
    assert form.cleaned_data == {
        **{"text": "x", "number": 3, "minutes": 2},
        **{"kind": "", "is_sure": False},
    }


@pytest.mark.parametrize(
    "given",
    [
        *([], None, "x", 1),
        *({"text": 1}, {"text": None}, {"number": "3"}, {"number": 1.5}, {"number": True}),
        *({"is_sure": "yes"}, {"is_sure": 0}, {"minutes": "2"}, {"other": 1}, {"text": {}}),
    ],
)
def test_what_is_of_another_type_is_refused(given: Any) -> None:
    with pytest.raises(ValidationError):
        form_data(FIELDS, given)


def test_the_first_complaint_names_its_field() -> None:
    form = Example(form_data(FIELDS, {"text": "x" * 10, "number": 3}))
    assert not form.is_valid()
    assert "text" in first_complaint(form).detail


@pytest.mark.django_db
@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_every_action_asks_with_the_form_it_names(action: Action) -> None:
    """The description is made of the class, what comes is checked by the object."""
    form = action.make_form(PoolStatus.down("Away."))
    assert type(form) is action.form_class
    assert form_schema(action.form_class.base_fields)["type"] == "object"
