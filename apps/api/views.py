"""A visitor's own conversations over REST. What is not theirs does not exist."""

from __future__ import annotations

import uuid
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.ai_chat import services
from apps.ai_chat.errors import ChatError
from apps.ai_chat.generations import stop_everywhere, tell_everywhere
from apps.ai_chat.representation import conversation_json, message_json
from apps.ai_chat.visitor import Visitor
from apps.api.pagination import ListPagination
from apps.api.serializers import TitleSerializer


def visitor_of(request: Request) -> Visitor:
    """The caller; raises ``unauthorised`` for somebody without cookie and login."""
    if not isinstance(request.auth, Visitor):
        raise ChatError("unauthorised")
    return request.auth


class ConversationList(APIView):
    """``GET``: the visitor's conversations, newest first; somebody new has none."""

    def get(self, request: Request) -> Response:
        pages = ListPagination()
        if not isinstance(request.auth, Visitor):
            return Response({"count": 0, "next": None, "previous": None, "results": []})
        rows = services.list_conversations(visitor=request.auth)
        page = pages.paginate_queryset(rows, request, view=self) or []
        return pages.get_paginated_response([conversation_json(row) for row in page])


class ConversationDetail(APIView):
    """``GET`` one conversation with its messages, ``PATCH`` its title, ``DELETE`` it."""

    def get(self, request: Request, conversation_id: uuid.UUID) -> Response:
        conversation = services.get_conversation(
            visitor=visitor_of(request), conversation_id=conversation_id
        )
        messages = services.current_messages(conversation=conversation)
        return Response(
            conversation_json(conversation)
            | {"messages": [message_json(message) for message in messages]}
        )

    def patch(self, request: Request, conversation_id: uuid.UUID) -> Response:
        visitor = visitor_of(request)
        services.get_conversation(visitor=visitor, conversation_id=conversation_id)
        given = TitleSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        title: Any = given.validated_data["title"]
        conversation = services.rename_conversation(
            visitor=visitor, conversation_id=conversation_id, title=title
        )
        shown = conversation_json(conversation)
        tell_everywhere(visitor.key, {"type": "conversation.updated", "conversation": shown})
        return Response(shown)

    def delete(self, request: Request, conversation_id: uuid.UUID) -> Response:
        visitor = visitor_of(request)
        running = services.delete_conversation(visitor=visitor, conversation_id=conversation_id)
        for generation in running:
            stop_everywhere(generation)
        gone = {"type": "conversation.deleted", "conversation": str(conversation_id)}
        tell_everywhere(visitor.key, gone)
        return Response(status=204)


class NotFound(APIView):
    """Every other address below the API."""

    def get(self, request: Request, rest: str = "") -> Response:
        raise ChatError("not_found")

    post = put = patch = delete = get
