"""The addresses under ``/v1/``. Coroutines all: who waits for an answer holds no thread."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.views.decorators.csrf import csrf_exempt

from ai_model.pool.status import PoolState, PoolStatus
from apps.ai_chat.sampling import sampling_for
from apps.ai_pool import services as pool
from apps.ai_pool.connection import get_pool_client
from apps.ai_pool.limits.allowance import OverLimit
from apps.ai_pool.limits.answer_tokens import answer_tokens
from apps.ai_pool.limits.client_address import client_address
from apps.api.api_keys import BadKey
from apps.api.bearer import bearer_token
from apps.api.event_stream import STREAM_HEADERS
from apps.api.key_lookup import look_up
from apps.api.models import ApiKey
from apps.api.openai import model_name
from apps.api.openai.answer import Answer
from apps.api.openai.answer_stream import AnswerStream
from apps.api.openai.completion import Completion
from apps.api.openai.completion_request import CompletionRequest, chat_request, text_request
from apps.api.openai.errors import OpenAIError
from apps.api.openai.fields import json_object
from apps.api.openai.recent_status import look_ahead, recent_status
from apps.api.spending import BUSY_RETRY_S, Spending, TooManyRunning, over_limit_headers

TOO_BIG = "The request is too big."
View = Callable[..., Awaitable[Any]]
_CODES = {
    PoolState.LOADING: "model_loading",
    PoolState.FAILED: "no_model",
    PoolState.DRAINING: "draining",
    PoolState.PAUSED: "paused",
    PoolState.DOWN: "pool_lost",
}


def _endpoint(method: str) -> Callable[[View], View]:
    """A view for one method that answers every refusal in OpenAI's shape."""

    def decorate(view: View) -> View:
        @csrf_exempt
        @wraps(view)
        async def answering(request: HttpRequest, **names: Any) -> Any:
            try:
                if request.method != method:
                    text = f"This address takes {method} only."
                    raise OpenAIError(405, "method_not_allowed", text, headers={"Allow": method})
                look_ahead()
                return await view(request, await _key_of(request), **names)
            except OpenAIError as error:
                return error.response()

        return answering

    return decorate


@_endpoint("GET")
async def models(request: HttpRequest, key: ApiKey) -> HttpResponse:
    """The model in use, as a list; empty while there is none."""
    status = await recent_status()
    name = model_name.name_of(status)
    listed = [model_name.model_object(name, status)] if name else []
    return JsonResponse({"object": "list", "data": listed})


@_endpoint("GET")
async def model(request: HttpRequest, key: ApiKey, name: str) -> HttpResponse:
    """One model, if it is the one in use."""
    status = await recent_status()
    model_name.check_name(name, status)
    return JsonResponse(model_name.model_object(name, status))


@_endpoint("POST")
async def chat_completions(request: HttpRequest, key: ApiKey) -> Any:
    """The answer to a conversation, whole or as a stream."""
    return await _complete(request, key, chat_request)


@_endpoint("POST")
async def completions(request: HttpRequest, key: ApiKey) -> Any:
    """The answer to one text."""
    return await _complete(request, key, text_request)


async def not_found(request: HttpRequest, rest: str = "") -> HttpResponse:
    """Whatever else clients look for."""
    return OpenAIError(404, "not_found", "There is nothing at this address.").response()


async def _complete(
    request: HttpRequest, key: ApiKey, read: Callable[..., CompletionRequest]
) -> Any:
    status = await recent_status()
    wanted = read(json_object(_body(request)), sampling_for(status))
    _check_ready(status)
    model_name.check_name(wanted.model, status)
    generation = str(uuid.uuid4())
    name = model_name.name_of(status)
    completion = Completion(id=generation.replace("-", ""), model=name, is_chat=wanted.is_chat)
    spending = await _begin(key, wanted)
    asked = wanted.for_pool(generation, key_id=key.pk)
    answer = Answer(asked, get_pool_client, spending.settle_aside)
    is_handed_on = False
    try:
        await answer.open()
        if not wanted.is_streaming:
            text = await answer.whole()
            assert answer.done is not None
            whole = completion.whole(text, answer.done, answer.take_tokens())
            return JsonResponse(whole, headers=spending.headers())
        is_handed_on = True
        return StreamingHttpResponse(
            AnswerStream(answer, completion, includes_usage=wanted.includes_usage),
            content_type="text/event-stream; charset=utf-8",
            headers=STREAM_HEADERS | spending.headers(),
        )
    finally:
        # Whoever has gone, or was refused, holds no instance. A stream closes its answer itself.
        if not is_handed_on:
            await answer.close()


async def _begin(key: ApiKey, wanted: CompletionRequest) -> Spending:
    num_tokens = min(wanted.sampling.max_tokens, answer_tokens())
    try:
        return await Spending.begin_aside(key, num_tokens)
    except TooManyRunning:
        text = f"This key may have {key.max_running} requests open at the same time."
        raise OpenAIError(429, "too_many_running", text, retry_after_s=BUSY_RETRY_S) from None
    except OverLimit as error:
        text = "This key has used up what it may have for now."
        raise OpenAIError(
            429,
            "rate_limit_exceeded",
            text,
            retry_after_s=error.retry_after_s,
            headers=over_limit_headers(error),
        ) from None


def _body(request: HttpRequest) -> bytes:
    try:
        body = request.body
    except RequestDataTooBig:
        raise OpenAIError(413, "request_too_large", TOO_BIG) from None
    # Django goes by the length that is announced, and a body in pieces announces none.
    most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    if most is not None and len(body) > most:
        raise OpenAIError(413, "request_too_large", TOO_BIG)
    return body


def _check_ready(status: PoolStatus) -> None:
    if status.state is PoolState.READY:
        return
    health = pool.health_of(status)
    raise OpenAIError.of_code(
        _CODES[status.state],
        text=status.notice if status.state is PoolState.PAUSED else "",
        retry_after_s=health.retry_after_s,
    )


async def _key_of(request: HttpRequest) -> ApiKey:
    secret = bearer_token(request)
    if not secret:
        text = "An API key is needed: Authorization: Bearer corral_..."
        raise OpenAIError(401, "missing_api_key", text)
    address = str(client_address(request) or "")
    try:
        key = await look_up(secret, address=address)
    except BadKey as error:
        raise OpenAIError(401, "invalid_api_key", str(error)) from None
    if not key.has_scope(ApiKey.Scope.CHAT):
        raise OpenAIError(403, "insufficient_scope", "This API key is not good for chats.")
    return key
