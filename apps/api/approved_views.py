"""Approved answers over REST, for staff and programs of the operator."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from apps.ai_chat import approved_editing
from apps.ai_chat.models import ApprovedAnswer
from apps.api.approved_serializers import ApprovedAnswerFilter, ApprovedAnswerSerializer
from apps.api.change_log import log_change, log_creation, log_deletion
from apps.api.etag import with_etag
from apps.api.model_permission import may_manage
from apps.api.openapi.described import PageOf, Tag, described
from apps.api.pagination import ApprovedAnswerPages
from apps.api.rest_view import RestView
from apps.api.serializers import checked, checked_query


class ApprovedAnswerList(RestView):
    """``GET`` approved answers, the one that was changed last first; ``POST`` another one."""

    permission_classes = (may_manage(ApprovedAnswer),)

    @described(
        "approved_answers_list",
        "Approved answers, the one that was changed last first",
        tag=Tag.APPROVED,
        query=ApprovedAnswerFilter,
        response=PageOf(ApprovedAnswerSerializer),
    )
    @with_etag
    def get(self, request: Request) -> Response:
        wanted = checked_query(ApprovedAnswerFilter, request)
        rows = approved_editing.list_answers(
            site_key=wanted.get("site"),
            language=wanted.get("language", ""),
            is_on=wanted["is_on"],
            text=wanted.get("text", ""),
        )
        pages = ApprovedAnswerPages()
        page = pages.paginate_queryset(rows, request, view=self) or []
        return pages.get_paginated_response(ApprovedAnswerSerializer(page, many=True).data)

    @described(
        "approved_answer_create",
        "Approve an answer",
        tag=Tag.APPROVED,
        request=ApprovedAnswerSerializer,
        response=ApprovedAnswerSerializer,
        status=201,
    )
    def post(self, request: Request) -> Response:
        values = checked(ApprovedAnswerSerializer, request)
        author = request.user if request.user and request.user.is_authenticated else None
        answer = approved_editing.create_answer(author=author, **values)
        log_creation(request, answer)
        return Response(ApprovedAnswerSerializer(answer).data, status=201)


class ApprovedAnswerDetail(RestView):
    """``GET`` one approved answer, ``PATCH`` or ``DELETE`` it."""

    permission_classes = (may_manage(ApprovedAnswer),)

    @described(
        "approved_answer_read",
        "One approved answer",
        tag=Tag.APPROVED,
        response=ApprovedAnswerSerializer,
    )
    @with_etag
    def get(self, request: Request, answer_id: int) -> Response:
        return Response(ApprovedAnswerSerializer(approved_editing.get_answer(answer_id)).data)

    @described(
        "approved_answer_change",
        "Change an approved answer",
        tag=Tag.APPROVED,
        request=ApprovedAnswerSerializer,
        response=ApprovedAnswerSerializer,
    )
    def patch(self, request: Request, answer_id: int) -> Response:
        answer = approved_editing.get_answer(answer_id)
        given = ApprovedAnswerSerializer(answer, data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        answer = approved_editing.change_answer(answer=answer, **given.validated_data)
        log_change(request, answer, sorted(given.validated_data))
        return Response(ApprovedAnswerSerializer(answer).data)

    @described("approved_answer_delete", "Give it to nobody any more", tag=Tag.APPROVED, status=204)
    def delete(self, request: Request, answer_id: int) -> Response:
        answer = approved_editing.get_answer(answer_id)
        log_deletion(request, answer)
        approved_editing.delete_answer(answer=answer)
        return Response(status=204)
