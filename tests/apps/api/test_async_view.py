"""Views whose methods are coroutines."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import AsyncRequestFactory
from rest_framework.exceptions import NotAuthenticated, Throttled
from rest_framework.response import Response

from apps.ai_chat.errors import ChatError
from apps.api.async_view import AsyncView

pytestmark = pytest.mark.asyncio


class Echo(AsyncView):
    """Says what it was given, or fails as it is told."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()
    failures: dict[str, Exception] = {
        "chat": ChatError("queue_full", retry_after_s=6.2),
        "login": NotAuthenticated(),
        "often": Throttled(wait=3),
        "defect": ZeroDivisionError(),
    }

    async def get(self, request: Any, word: str) -> Response:
        if word in self.failures:
            raise self.failures[word]
        return Response({"word": word}, headers={"X-Word": word})

    async def post(self, request: Any, word: str) -> Response:
        return Response({"given": request.data}, status=201)


async def call(method: str, word: str = "hi", **options: Any) -> Any:
    request = getattr(AsyncRequestFactory(), method)("/", **options)
    answer = await Echo.as_view()(request, word=word)
    return answer.render() if hasattr(answer, "render") else answer


async def test_methods_are_awaited() -> None:
    answer = await call("get")
    assert (answer.status_code, answer.content) == (200, b'{"word":"hi"}')
    assert answer["X-Word"] == "hi" and answer["Allow"] == "GET, POST, HEAD, OPTIONS"
    given = await call("post", data={"n": 1}, content_type="application/json")
    assert (given.status_code, given.content) == (201, b'{"given":{"n":1}}')


async def test_json_whatever_is_accepted() -> None:
    for accepted in ("text/event-stream", "text/html", "nonsense"):
        answer = await call("get", headers={"accept": accepted})
        assert answer.status_code == 200 and answer["Content-Type"] == "application/json"


async def test_other_methods_and_bodies() -> None:
    assert (await call("put")).status_code == 405
    assert (await call("options")).status_code == 200
    odd = await call("post", data="x", content_type="text/plain")
    assert odd.status_code == 415
    broken = await call("post", data="{", content_type="application/json")
    assert broken.status_code == 400 and b'"error"' in broken.content


async def test_errors_have_the_one_shape() -> None:
    full = await call("get", "chat")
    assert full.status_code == 503 and full["Retry-After"] == "7"
    assert b'"queue_full"' in full.content
    assert (await call("get", "login")).status_code == 401
    assert (await call("get", "often"))["Retry-After"] == "3"
    with pytest.raises(ZeroDivisionError):
        await call("get", "defect")
