"""Answers over REST: asked for, read and followed."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

from channels.db import database_sync_to_async
from django.http import StreamingHttpResponse
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response

from apps.ai_chat import frames, services
from apps.ai_chat.generations import get_registry
from apps.ai_pool.request_thread import release_thread
from apps.api.admission import language_asked
from apps.api.answer_view import NO_STORE, PREFER, WAITING, AnswerView
from apps.api.asking import Asking
from apps.api.caller import USER
from apps.api.etag import with_etag
from apps.api.event_stream import STREAM_HEADERS, EventStream, event_number
from apps.api.generation_json import generation_json
from apps.api.openapi.described import Header, Tag, TextOf, described
from apps.api.serializers import (
    EventQuery,
    PlaceQuery,
    QuestionSerializer,
    checked,
)
from apps.api.shapes import AskedSerializer, GenerationSerializer, GenerationsSerializer
from apps.widget import services as sites

LAST_EVENT = Header("Last-Event-ID", "Number of the last event that was read.")


class GenerationList(AnswerView):
    """``GET`` the answers that are being written for the visitor; ``POST`` a question."""

    @described(
        "generations_list",
        "The answers that are being written for the visitor",
        tag=Tag.ANSWERS,
        response=GenerationsSerializer,
        headers=(USER,),
    )
    async def get(self, request: Request) -> Response:
        registry = get_registry()

        def read() -> list[dict[str, Any]]:
            rows = services.live_answers(visitor=self.admission.visitor)
            return [generation_json(row, registry.recall(row.generation)) for row in rows]  # type: ignore[arg-type]

        results = await database_sync_to_async(read)()
        return Response({"results": results}, headers=NO_STORE)

    @described(
        "generation_create",
        "Ask a question",
        tag=Tag.ANSWERS,
        request=QuestionSerializer,
        query=PlaceQuery,
        response=AskedSerializer,
        status=(200, 202),
        headers=(USER, PREFER),
        text=WAITING,
    )
    async def post(self, request: Request) -> Response:
        given = checked(QuestionSerializer, request)
        await self._go_to_site(given.get("site", ""))
        return await self.begin(request, _asking(given))

    async def _go_to_site(self, key: str) -> None:
        """A program may ask as if on one of the websites; visitors are on theirs already."""
        if not key:
            return
        if self.key is None:
            raise exceptions.ValidationError({"site": "Only programs with a key name a site here."})
        site = await database_sync_to_async(sites.find_site)(key)
        visitor = replace(self.admission.visitor, site_id=site.pk)
        self.admission = replace(self.admission, visitor=visitor)


class GenerationDetail(AnswerView):
    """``GET`` one answer and where it stands."""

    @described(
        "generation_read",
        "One answer, as far as it is written",
        tag=Tag.ANSWERS,
        response=GenerationSerializer,
        headers=(USER,),
    )
    @with_etag
    async def get(self, request: Request, generation: uuid.UUID) -> Response:
        row = await self.find(generation)
        relay = get_registry().recall(generation)
        return Response(await database_sync_to_async(generation_json)(row, relay))


class GenerationEvents(AnswerView):
    """``GET`` the frames of one answer as server-sent events, behind ``Last-Event-ID``."""

    http_method_names = ["get", "options"]

    @described(
        "generation_events",
        "Follow an answer as it is written",
        tag=Tag.ANSWERS,
        query=EventQuery,
        response=TextOf(),
        headers=(USER, LAST_EVENT),
        text="Frames of `chat.v1`, one in each event; the stream ends behind the last one.",
    )
    async def get(self, request: Request, generation: uuid.UUID) -> Any:
        after = request.headers.get("Last-Event-ID") or request.GET.get("after", "")
        stream = EventStream(
            self.admission,
            generation,
            after=event_number(after),
            language=language_asked(request._request),
            key=self.key,
        )
        await stream.check()
        await release_thread()
        return StreamingHttpResponse(
            stream, content_type="text/event-stream; charset=utf-8", headers=STREAM_HEADERS
        )


def _asking(given: dict[str, Any]) -> Asking:
    gen = given.get("id") or uuid.uuid4()
    cid, text = given.get("cid") or gen, given["text"]
    if given.get("edits"):
        return frames.MessageEdit(cid=cid, gen=gen, message=given["edits"], text=text)
    return frames.MessageSend(
        cid=cid,
        gen=gen,
        text=text,
        conversation=given.get("conversation"),
        parent=given.get("parent"),
        context=given.get("context", {}),
    )
