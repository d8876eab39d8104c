"""A visitor's rights over REST: what is kept and how long, a copy of it, and an end to it."""

from __future__ import annotations

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from apps.ai_chat import services
from apps.ai_chat.generations import tell_everywhere
from apps.ai_chat.visitor import Visitor
from apps.api.caller import USER, visitor_of, visitor_or_nobody
from apps.api.openapi.described import Tag, described
from apps.api.rest_view import RestView
from apps.api.shapes import ErasedSerializer, ExportSerializer, VisitorSerializer
from apps.widget.models import Site

KEPT = ("questions", "answers", "times", "feedback", "page")
"""What is stored of a visitor; ``page`` is what a page told about itself with a question."""
_NO_STORE = {"Cache-Control": "no-store"}


class VisitorDetail(RestView):
    """``GET`` what is kept and how long; ``DELETE`` erases it at once."""

    @described(
        "visitor_read",
        "What is kept of the visitor, and for how long",
        tag=Tag.VISITOR,
        response=VisitorSerializer,
        headers=(USER,),
    )
    def get(self, request: Request) -> Response:
        visitor = visitor_or_nobody(request)
        num = services.list_conversations(visitor=visitor).count() if visitor else 0
        body = {"kept": KEPT, "num_conversations": num, "retention_days": _retention_days(visitor)}
        return Response(body, headers=_NO_STORE)

    @described(
        "visitor_erase",
        "Erase everything of the visitor, at once",
        tag=Tag.VISITOR,
        response=ErasedSerializer,
        headers=(USER,),
    )
    def delete(self, request: Request) -> Response:
        visitor = visitor_of(request)
        gone = [str(row.pk) for row in services.list_conversations(visitor=visitor)]
        erased = services.erase_visitor(visitor)
        for conversation in gone:
            event = {"type": "conversation.deleted", "conversation": conversation}
            tell_everywhere(visitor.key, event)
        return Response(
            {
                "num_conversations": erased.num_conversations,
                "num_messages": erased.num_messages,
            },
            headers=_NO_STORE,
        )


class VisitorExport(RestView):
    """``GET`` everything that is stored of the visitor, as a file."""

    @described(
        "visitor_export",
        "Everything that is stored of the visitor, as a file",
        tag=Tag.VISITOR,
        response=ExportSerializer,
        headers=(USER,),
    )
    def get(self, request: Request) -> Response:
        visitor = visitor_of(request)
        name = f"chats-{timezone.now():%Y-%m-%d}.json"
        disposition = f'attachment; filename="{name}"'
        return Response(
            services.export_visitor(visitor),
            headers=_NO_STORE | {"Content-Disposition": disposition},
        )


def _retention_days(visitor: Visitor | None) -> int | None:
    """Days after the last message until a conversation is deleted; None: until the visitor does."""
    site_id = None if visitor is None else visitor.site_id
    site = Site.objects.defer("logo").filter(pk=site_id).first() if site_id else None
    return services.retention_days(site)
