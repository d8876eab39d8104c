"""The operator's actions over REST: the same objects as behind the buttons of the admin, with the
same permissions, checks and notes of who did what."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpResponse
from django.urls import reverse
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from ai_model.pool.errors import PoolError, PoolUnavailable
from ai_model.pool.status import PoolState, PoolStatus
from apps.ai_pool import services
from apps.ai_pool.actions.action import Action
from apps.ai_pool.actions.confirm import may
from apps.ai_pool.actions.exporting import ExportAction
from apps.ai_pool.actions.record_keeping import note
from apps.ai_pool.actions.registry import ACTIONS, APP, VIEW_PERMISSION
from apps.api.change_log import owner_of
from apps.api.models import ApiKey
from apps.api.openapi.described import Answer, JsonOrText, Tag, TextOf, described
from apps.api.pool.action_serializers import (
    ActionDetailSerializer,
    ActionListSerializer,
    OutcomeSerializer,
    action_json,
    details_json,
    outcome_json,
)
from apps.api.pool.form_fields import first_complaint, form_data, form_schema
from apps.api.rest_view import RestView
from apps.api.scopes import HasScope

NO_STORE = {"Cache-Control": "no-store"}
READS_POOL = HasScope(ApiKey.Scope.POOL_READ, VIEW_PERMISSION)


class ActionList(RestView):
    """``GET``: all that can be done to the pool, and by whoever asks."""

    permission_classes = (READS_POOL,)

    @described(
        "pool_actions",
        "What can be done to the pool",
        tag=Tag.ACTIONS,
        response=ActionListSerializer,
    )
    def get(self, request: Request) -> Response:
        status = services.read_status()
        rows = [
            action_json(action, status, url=url_of(action), may_run=may_run(request, action))
            for action in ACTIONS
        ]
        return Response({"results": rows}, headers=NO_STORE)


class ActionView(RestView):
    """``GET`` what an action would do now; ``POST`` does it."""

    action: ClassVar[Action]

    def get_permissions(self) -> list[Any]:
        """Reading as everything about the pool; doing as the action has it."""
        if self.request.method == "POST":
            permission = f"{APP}.{self.action.permission}"
            return [HasScope(ApiKey.Scope.POOL_ADMIN, VIEW_PERMISSION, permission)()]
        return [READS_POOL()]

    def answer_get(self, request: Request) -> Response:
        """What it would do."""
        action, status = self.action, services.read_status()
        body = action_json(
            action, status, url=url_of(action), may_run=may_run(request, action)
        ) | details_json(action, status, is_away=_is_away(action, status))
        return Response(body, headers=NO_STORE)

    def answer_post(self, request: Request) -> Any:
        """Do it, and note who did."""
        action, status = self.action, services.read_status()
        if _is_away(action, status):
            raise PoolUnavailable(status.reason)
        values = form_data(action.form_class.base_fields, request.data)
        form = action.make_form(status, values)
        if not form.is_valid():
            raise first_complaint(form)
        try:
            outcome = action.run(status, form.cleaned_data)
        except PoolError:
            raise
        except ValueError as error:
            raise ValidationError(str(error)) from None
        if outcome.is_done:
            _note(request, outcome.text)
        if outcome.download is not None:
            return _download(outcome.download)
        code = 200 if outcome.is_done else 409
        return Response(outcome_json(outcome), status=code, headers=NO_STORE)


def action_view(action: Action) -> type[ActionView]:
    """Return the view of one action, which says about itself what the action takes."""
    name = action.name
    done: Answer = OutcomeSerializer
    if isinstance(action, ExportAction):
        rows = {"type": "array", "items": {"type": "object"}}
        done = JsonOrText(rows, TextOf("text/csv", "One line for each minute."))

    @described(
        f"pool_action_{name}",
        f"What it would do now: {action.title.lower()}",
        tag=Tag.ACTIONS,
        response=ActionDetailSerializer,
    )
    def get(self: ActionView, request: Request) -> Response:
        return self.answer_get(request)

    @described(
        f"pool_{name}",
        str(action.title),
        tag=Tag.ACTIONS,
        request=form_schema(action.form_class.base_fields),
        response=done,
        responses={409: OutcomeSerializer},
        text="\n\n".join(
            part for part in (action.__doc__, action.twin and f"`{action.twin}`") if part
        ),
    )
    def post(self: ActionView, request: Request) -> Any:
        return self.answer_post(request)

    title = f"{name.title()}ActionView"
    return type(title, (ActionView,), {"action": action, "get": get, "post": post})


def url_of(action: Action) -> str:
    """Return the address of an action on this server."""
    return reverse(f"api:pool-action-{action.name}")


def may_run(request: Request, action: Action) -> bool:
    """Whether whoever asks may do it."""
    if isinstance(request.auth, ApiKey):
        return request.auth.has_scope(ApiKey.Scope.POOL_ADMIN)
    return may(request.user, action)


def _is_away(action: Action, status: PoolStatus) -> bool:
    return action.needs_pool and status.state is PoolState.DOWN


def _note(request: Request, text: str) -> None:
    key = request.auth
    if isinstance(key, ApiKey):
        note(owner_of(key), f"{text} By the key {key}.")
    else:
        note(request.user, text)


def _download(file: HttpResponse) -> HttpResponse:
    file.headers.setdefault("X-Content-Type-Options", "nosniff")
    return file
