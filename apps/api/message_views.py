"""Messages over REST: read, judged, and which of their versions is shown."""

from __future__ import annotations

import uuid

from rest_framework.request import Request
from rest_framework.response import Response

from apps.ai_chat import services
from apps.ai_chat.generations import tell_everywhere
from apps.ai_chat.models import Message
from apps.ai_chat.representation import conversation_json, message_json
from apps.ai_chat.visitor import Visitor
from apps.api.caller import USER, visitor_of
from apps.api.etag import with_etag
from apps.api.openapi.described import PageOf, Tag, described
from apps.api.pagination import MessagePages
from apps.api.rest_view import RestView
from apps.api.serializers import FeedbackSerializer, MessageFilter, checked, checked_query
from apps.api.shapes import ConversationSerializer, MessageSerializer


class MessageList(RestView):
    """``GET``: the messages of one conversation, the oldest one first."""

    @described(
        "messages_list",
        "The messages of a conversation, the oldest one first",
        tag=Tag.CONVERSATIONS,
        query=MessageFilter,
        response=PageOf(MessageSerializer),
        headers=(USER,),
    )
    @with_etag
    def get(self, request: Request, conversation_id: uuid.UUID) -> Response:
        conversation = services.get_conversation(
            visitor=visitor_of(request), conversation_id=conversation_id
        )
        wanted = checked_query(MessageFilter, request)
        rows = services.shown_messages(conversation=conversation, has_hidden=wanted["all"])
        pages = MessagePages()
        page = services.with_versions(pages.paginate_queryset(rows, request, view=self) or [])
        return pages.get_paginated_response([message_json(message) for message in page])


class MessageDetail(RestView):
    """``GET`` one message, also one of a branch that is not shown."""

    @described(
        "message_read",
        "One message",
        tag=Tag.CONVERSATIONS,
        response=MessageSerializer,
        headers=(USER,),
    )
    @with_etag
    def get(self, request: Request, message_id: uuid.UUID) -> Response:
        message = services.get_message(visitor=visitor_of(request), message_id=message_id)
        return Response(message_json(message))


class MessageShow(RestView):
    """``POST``: show this version of a message, and what followed it."""

    @described(
        "message_show",
        "Show this version of a message, and what followed it",
        tag=Tag.CONVERSATIONS,
        response=ConversationSerializer,
        headers=(USER,),
    )
    def post(self, request: Request, message_id: uuid.UUID) -> Response:
        visitor = visitor_of(request)
        conversation_id = services.select_branch(visitor=visitor, message_id=message_id)
        shown = conversation_json(
            services.get_conversation(visitor=visitor, conversation_id=conversation_id)
        )
        frame = {"type": "conversation.updated", "conversation": shown, "changed": "messages"}
        tell_everywhere(visitor.key, frame)
        return Response(shown)


class MessageFeedback(RestView):
    """``POST`` a thumb for an answer, ``DELETE`` takes it back."""

    @described(
        "feedback_give",
        "A thumb for a finished answer; the last one counts",
        tag=Tag.ANSWERS,
        request=FeedbackSerializer,
        response=MessageSerializer,
        headers=(USER,),
    )
    def post(self, request: Request, message_id: uuid.UUID) -> Response:
        visitor = visitor_of(request)
        services.get_message(visitor=visitor, message_id=message_id)
        given = checked(FeedbackSerializer, request)
        return Response(_rate(visitor, message_id, **given))

    @described(
        "feedback_take_back",
        "Take the thumb back",
        tag=Tag.ANSWERS,
        status=204,
        headers=(USER,),
    )
    def delete(self, request: Request, message_id: uuid.UUID) -> Response:
        _rate(visitor_of(request), message_id, value=0)
        return Response(status=204)


def _rate(
    visitor: Visitor, message_id: uuid.UUID, *, value: int, reason: str = "", comment: str = ""
) -> dict[str, object]:
    message: Message = services.rate_answer(
        visitor=visitor, message_id=message_id, value=value, reason=reason, comment=comment
    )
    shown = message_json(message)
    frame = {"type": "message.updated", "conversation": str(message.conversation_id)}
    tell_everywhere(visitor.key, frame | {"message": shown})
    return shown
