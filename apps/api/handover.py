"""From a website's chat to the full page: a code that works once."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response

from apps.ai_chat import services
from apps.api.bearer import bearer_token
from apps.api.caller import visitor_of
from apps.api.openapi.described import Tag, described
from apps.api.rest_view import RestView
from apps.api.serializers import HandoverSerializer
from apps.api.shapes import HandoverAddressSerializer
from apps.widget.cors import own_origin
from apps.widget.handover import LIFETIME_S


class VisitorHandover(RestView):
    """``POST``: an address that opens our own page as the website's visitor who asks."""

    @described(
        "visitor_handover",
        "An address that opens our own page as this visitor of a website, once",
        tag=Tag.VISITOR,
        request=HandoverSerializer,
        response=HandoverAddressSerializer,
    )
    def post(self, request: Request) -> Response:
        given = HandoverSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        values: Any = given.validated_data
        code = services.begin_handover(
            visitor=visitor_of(request),
            has_token=bearer_token(request._request) is not None,
            conversation_id=values.get("conversation"),
        )
        # Behind the sign that browsers send nowhere: it is in no log and no referrer.
        url = f"{own_origin(request._request)}{reverse('ai_chat:handover')}#{code}"
        body = {"url": url, "expires_in_s": LIFETIME_S}
        return Response(body, headers={"Cache-Control": "no-store"})
