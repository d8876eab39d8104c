"""What can be done about an answer over REST: stopped, made again, gone on with."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from channels.db import database_sync_to_async
from rest_framework.request import Request
from rest_framework.response import Response

from apps.ai_chat import frames
from apps.ai_chat.generations import get_registry
from apps.ai_chat.session import ChatSession
from apps.api.answer_view import NO_STORE, PREFER, WAITING, AnswerView
from apps.api.caller import USER
from apps.api.generation_json import generation_json
from apps.api.openapi.described import Tag, described
from apps.api.serializers import AgainSerializer, StopSerializer, WaitQuery, checked
from apps.api.shapes import AskedSerializer, GenerationSerializer
from apps.api.waiting import wait_for_end

STOP_WAIT_S = 2.0


class GenerationStop(AnswerView):
    """``POST``: end an answer where it is, or leave the line. Idempotent."""

    @described(
        "generation_stop",
        "End an answer where it is, or leave the line",
        tag=Tag.ANSWERS,
        request=StopSerializer,
        response=GenerationSerializer,
        headers=(USER,),
    )
    async def post(self, request: Request, generation: uuid.UUID) -> Response:
        given = checked(StopSerializer, request)
        registry = get_registry()
        session = ChatSession(self.admission, _ignore, registry=registry)
        await session.handle(frames.GenStop(gen=generation, seen=given.get("seen")))
        relay = registry.recall(generation)
        await wait_for_end(relay, STOP_WAIT_S)
        row = await self.find(generation)
        body = await database_sync_to_async(generation_json)(row, relay)
        return Response(body, headers=NO_STORE)


class _AgainView(AnswerView):
    """For what begins at an answer that is there already."""

    async def begin_again(
        self,
        request: Request,
        generation: uuid.UUID,
        make_frame: Callable[..., frames.GenRegenerate | frames.GenContinue],
    ) -> Response:
        """Begin what ``make_frame`` says about the answer ``generation``, under the id given."""
        given = checked(AgainSerializer, request)
        row = await self.find(generation)
        gen = given.get("id") or uuid.uuid4()
        return await self.begin(request, make_frame(gen=gen, message=row.id))


class GenerationRegenerate(_AgainView):
    """``POST``: another answer to the same question; the first one stays as a version."""

    @described(
        "generation_regenerate",
        "Another answer to the same question",
        tag=Tag.ANSWERS,
        request=AgainSerializer,
        query=WaitQuery,
        response=AskedSerializer,
        status=(200, 202),
        headers=(USER, PREFER),
        text=WAITING,
    )
    async def post(self, request: Request, generation: uuid.UUID) -> Response:
        return await self.begin_again(request, generation, frames.GenRegenerate)


class GenerationContinue(_AgainView):
    """``POST``: more of an answer that ended early, behind the text it has."""

    @described(
        "generation_continue",
        "More of an answer that ended early",
        tag=Tag.ANSWERS,
        request=AgainSerializer,
        query=WaitQuery,
        response=AskedSerializer,
        status=(200, 202),
        headers=(USER, PREFER),
        text=WAITING,
    )
    async def post(self, request: Request, generation: uuid.UUID) -> Response:
        return await self.begin_again(request, generation, frames.GenContinue)


def _ignore(frame: dict[str, Any]) -> None:
    """What tabs are told is told to whoever asked in the response."""
