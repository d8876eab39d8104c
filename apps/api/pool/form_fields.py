"""An action's form as JSON: what it asks for, described for programs, and read strictly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from rest_framework.exceptions import ValidationError

from apps.api.json_types import is_of_type, it_must_be


def form_schema(fields: Mapping[str, forms.Field]) -> dict[str, Any]:
    """Return the JSON schema of what a form with these fields takes.

    A field with a usual value may be left out. Those of a form's class have no choices of the
    moment, such as who waits just now; those of a form have.
    """
    required = [name for name, field in fields.items() if field.required and field.initial is None]
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {name: _schema(field) for name, field in fields.items()},
        "additionalProperties": False,
    }
    return schema | ({"required": required} if required else {})


def form_data(fields: Mapping[str, forms.Field], given: Any) -> dict[str, Any]:
    """Return what to bind a form with: ``given``, and the usual values of fields that are absent.

    Raises ValidationError for fields the form has not, and for values of another type.
    """
    if not isinstance(given, Mapping):
        raise ValidationError("The body is not a JSON object.")
    for name, value in given.items():
        field = fields.get(name)
        if field is None:
            known = ", ".join(fields) or "none"
            raise ValidationError({name[:40]: f"There is no such field here; there is {known}."})
        _check_type(name, field, value)
    usual = {name: field.initial for name, field in fields.items() if field.initial is not None}
    return usual | dict(given)


def first_complaint(form: forms.Form) -> ValidationError:
    """Return what is wrong with a form, as an error of the API."""
    for name, complaints in form.errors.items():
        return ValidationError({name: str(complaints[0])})
    return ValidationError("The values do not fit.")


def _schema(field: forms.Field) -> dict[str, Any]:
    schema = _type_schema(field)
    if field.initial is not None:
        schema["default"] = field.initial
    text = " - ".join(str(part) for part in (field.label, field.help_text) if part)
    return schema | ({"description": text} if text else {})


def _type_schema(field: forms.Field) -> dict[str, Any]:
    if isinstance(field, forms.BooleanField):
        return {"type": "boolean"}
    if isinstance(field, forms.ChoiceField):
        values = [value for value, _ in field.choices]
        kind = "integer" if values and all(isinstance(one, int) for one in values) else "string"
        return {"type": kind} | ({"enum": values} if values else {})
    if isinstance(field, forms.IntegerField):
        bounds = {"minimum": field.min_value, "maximum": field.max_value}
        return {"type": "integer"} | {
            name: value for name, value in bounds.items() if value is not None
        }
    most = getattr(field, "max_length", None)
    return {"type": "string"} | ({} if most is None else {"maxLength": most})


def _check_type(name: str, field: forms.Field, value: Any) -> None:
    kind = _type_schema(field)["type"]
    if not is_of_type(kind, value):
        raise ValidationError({name: it_must_be(kind)})
