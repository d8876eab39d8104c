"""What a Django page tells the chat about the object it shows.

A model names the fields in ``chat_fields``; nothing else of it leaves the server. The visitor sees
all of it before it is sent.
"""

from __future__ import annotations

import datetime
import decimal
import unicodedata
import uuid
from typing import Any

from django.db.models import Model
from django.utils.functional import Promise
from django.utils.text import capfirst

MAX_FIELDS = 10
MAX_NAME_CHARS = 40
MAX_VALUE_CHARS = 200
_PLAIN = (
    *(str, int, float, decimal.Decimal, uuid.UUID, Promise),
    *(datetime.date, datetime.time, datetime.timedelta),
)
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def page_context(obj: Any, user: Any) -> dict[str, str]:
    """The fields of ``obj`` that its model names and ``user`` may see, by their labels.

    Empty for what is no model, names no fields or may not be seen. Related objects, files, lists
    and methods are left out: what they would tell is not known where the fields are named.
    """
    names = getattr(type(obj), "chat_fields", ())
    if not isinstance(obj, Model) or isinstance(names, str) or not can_view(obj, user):
        return {}
    found: dict[str, str] = {}
    for name in names:
        value = _value(obj, name)
        if value:
            found.setdefault(_label(obj, name), value)
        if len(found) == MAX_FIELDS:
            break
    return found


def can_view(obj: Model, user: Any) -> bool:
    """The object's own ``can_chat_view(user)`` if it has one, else its model's view permission.

    Without a user nobody looks, so nothing is seen.
    """
    if user is None:
        return False
    own_rule = getattr(obj, "can_chat_view", None)
    if callable(own_rule):
        return own_rule(user) is True
    meta = type(obj)._meta
    return bool(user.has_perm(f"{meta.app_label}.view_{meta.model_name}"))


def _value(obj: Model, name: str) -> str:
    """The value as text; "" for what is not told."""
    if not name.isidentifier() or name.startswith("_"):
        return ""
    value = getattr(obj, name, None)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, _PLAIN):
        return ""
    shown = getattr(obj, f"get_{name}_display", None)
    return shorten(str(shown() if callable(shown) else value), MAX_VALUE_CHARS)


def _label(obj: Model, name: str) -> str:
    fields = {field.name: field for field in type(obj)._meta.concrete_fields}
    field = fields.get(name)
    label = str(field.verbose_name) if field is not None else name.replace("_", " ")
    return shorten(str(capfirst(label)), MAX_NAME_CHARS)


def shorten(text: str, max_chars: int) -> str:
    """One line without what cannot be seen, cut to length."""
    # A long text is cut first: nobody waits for the end of a novel.
    text = text[: 8 * max_chars]
    text = "".join(" " if unicodedata.category(char) in _UNSEEN else char for char in text)
    text = " ".join(text.split())
    return text if len(text) <= max_chars else text[: max_chars - 1].rstrip() + "\u2026"
