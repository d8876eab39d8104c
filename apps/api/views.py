"""A visitor's own conversations over REST. What is not theirs does not exist."""

from __future__ import annotations

import uuid

from rest_framework.request import Request
from rest_framework.response import Response

from apps.ai_chat import services
from apps.ai_chat.errors import ChatError
from apps.ai_chat.generations import stop_everywhere, tell_everywhere
from apps.ai_chat.representation import conversation_json, message_json
from apps.api.caller import USER, visitor_of, visitor_or_nobody
from apps.api.etag import with_etag
from apps.api.openapi.described import PageOf, Tag, described
from apps.api.pagination import ConversationPages
from apps.api.rest_view import RestView
from apps.api.serializers import ConversationFilter, TitleSerializer, checked, checked_query
from apps.api.shapes import ConversationSerializer, ConversationWithMessagesSerializer


class ConversationList(RestView):
    """``GET``: the visitor's conversations, newest first; somebody new has none."""

    @described(
        "conversations_list",
        "The visitor's conversations, newest first",
        tag=Tag.CONVERSATIONS,
        query=ConversationFilter,
        response=PageOf(ConversationSerializer),
        headers=(USER,),
    )
    @with_etag
    def get(self, request: Request) -> Response:
        visitor = visitor_or_nobody(request)
        if visitor is None:
            return Response({"next": None, "previous": None, "results": []})
        wanted = checked_query(ConversationFilter, request)
        rows = services.list_conversations(
            visitor=visitor,
            site_key=wanted.get("site", ""),
            since=wanted.get("since"),
            title=wanted.get("title", ""),
        )
        pages = ConversationPages()
        page = pages.paginate_queryset(rows, request, view=self) or []
        return pages.get_paginated_response([conversation_json(row) for row in page])


class ConversationDetail(RestView):
    """``GET`` one conversation with its messages, ``PATCH`` its title, ``DELETE`` it."""

    @described(
        "conversation_read",
        "One conversation, with the messages that are shown",
        tag=Tag.CONVERSATIONS,
        response=ConversationWithMessagesSerializer,
        headers=(USER,),
    )
    @with_etag
    def get(self, request: Request, conversation_id: uuid.UUID) -> Response:
        conversation = services.get_conversation(
            visitor=visitor_of(request), conversation_id=conversation_id
        )
        messages = services.current_messages(conversation=conversation)
        return Response(
            conversation_json(conversation)
            | {"messages": [message_json(message) for message in messages]}
        )

    @described(
        "conversation_rename",
        "Give a conversation another title",
        tag=Tag.CONVERSATIONS,
        request=TitleSerializer,
        response=ConversationSerializer,
        headers=(USER,),
    )
    def patch(self, request: Request, conversation_id: uuid.UUID) -> Response:
        visitor = visitor_of(request)
        services.get_conversation(visitor=visitor, conversation_id=conversation_id)
        given = checked(TitleSerializer, request)
        conversation = services.rename_conversation(
            visitor=visitor, conversation_id=conversation_id, title=given["title"]
        )
        shown = conversation_json(conversation)
        tell_everywhere(visitor.key, {"type": "conversation.updated", "conversation": shown})
        return Response(shown)

    @described(
        "conversation_delete",
        "Delete a conversation; what is being answered in it stops",
        tag=Tag.CONVERSATIONS,
        status=204,
        headers=(USER,),
    )
    def delete(self, request: Request, conversation_id: uuid.UUID) -> Response:
        visitor = visitor_of(request)
        running = services.delete_conversation(visitor=visitor, conversation_id=conversation_id)
        for generation in running:
            stop_everywhere(generation)
        gone = {"type": "conversation.deleted", "conversation": str(conversation_id)}
        tell_everywhere(visitor.key, gone)
        return Response(status=204)


class NotFound(RestView):
    """Every other address below the API."""

    schema = None

    def get(self, request: Request) -> Response:
        raise ChatError("not_found")

    post = put = patch = delete = get
