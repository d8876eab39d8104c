"""For whom a program asks."""

from __future__ import annotations

import pytest
from django.test import RequestFactory
from rest_framework import exceptions
from rest_framework.request import Request

from ai_model.pool.priority import Priority
from apps.ai_chat.errors import ChatError
from apps.ai_chat.visitor import visitor_of_id
from apps.api.caller import key_of, visitor_of, visitor_or_nobody
from apps.api.models import ApiKey


def request_of(auth: object, user: str | None = None) -> Request:
    headers = {} if user is None else {"x-corral-user": user}
    request = Request(RequestFactory().get("/", headers=headers))
    request.user, request.auth = None, auth
    return request


def test_users_of_keys_are_apart() -> None:
    one, other = ApiKey(pk=1, scopes=["chat"]), ApiKey(pk=2, scopes=["chat"])
    asked = [(one, None), (one, "anna"), (one, "bert"), (other, None), (other, "anna")]
    visitors = [visitor_of(request_of(key, user)) for key, user in asked]
    assert len({visitor.key for visitor in visitors}) == 5
    assert visitor_of(request_of(one, " anna ")) == visitors[1]
    assert visitor_of(request_of(one, "")) == visitors[0]
    assert all(len(visitor.key) <= 64 and visitor.is_program for visitor in visitors)
    assert visitors[1].asker.priority is Priority.API and not visitors[1].asker.address
    assert "anna" not in visitors[1].key


def test_nobody_and_visitors() -> None:
    visitor = visitor_of_id("a" * 32)
    assert visitor_of(request_of(visitor)) is visitor
    assert key_of(request_of(visitor)) is None and visitor_or_nobody(request_of(None)) is None
    with pytest.raises(ChatError, match="unauthorised"):
        visitor_of(request_of(None))


def test_a_key_needs_the_scope_and_a_name_has_an_end() -> None:
    with pytest.raises(ChatError, match="forbidden"):
        visitor_of(request_of(ApiKey(pk=1, scopes=["pool.admin"])))
    with pytest.raises(exceptions.ValidationError):
        visitor_of(request_of(ApiKey(pk=1, scopes=["chat"]), "x" * 201))
