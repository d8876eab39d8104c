"""Actions as programs see them: what there is, what it would do, and what came of it."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from ai_model.pool.status import PoolStatus
from apps.ai_pool.actions.action import Action, Outcome
from apps.api.pool.form_fields import form_schema


class ActionSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """Something that can be done to the pool."""

    name = serializers.CharField()
    title = serializers.CharField()
    is_grave = serializers.BooleanField(help_text="Visitors feel it.")
    is_offered = serializers.BooleanField(help_text="It makes sense now.")
    may_run = serializers.BooleanField(help_text="Whoever asks may do it.")
    command = serializers.CharField(allow_blank=True, help_text="The command that does the same.")
    url = serializers.CharField()


class ActionListSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """All actions."""

    results: Any = ActionSerializer(many=True)


class ActionDetailSerializer(ActionSerializer):
    """One action at this moment."""

    effects = serializers.ListField(
        child=serializers.CharField(), help_text="What it would do now, in sentences."
    )
    takes = serializers.DictField(help_text="JSON schema of what to send, with today's choices.")


class UndoSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """What takes an action back: another action and what to send to it."""

    label = serializers.CharField()
    action = serializers.CharField()
    values = serializers.DictField()


class OutcomeSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """What came of an action."""

    is_done = serializers.BooleanField()
    message = serializers.CharField()
    undo: Any = UndoSerializer(allow_null=True)


def action_json(action: Action, status: PoolStatus, *, url: str, may_run: bool) -> dict[str, Any]:
    """Return an action as one of a list."""
    return {
        "name": action.name,
        "title": str(action.title),
        "is_grave": action.is_grave,
        "is_offered": action.is_offered(status),
        "may_run": may_run,
        "command": action.twin,
        "url": url,
    }


def details_json(action: Action, status: PoolStatus, *, is_away: bool) -> dict[str, Any]:
    """Return what more there is to know of one action at this moment."""
    return {
        "effects": [status.reason] if is_away else [str(one) for one in action.effects(status)],
        "takes": form_schema(action.make_form(status).fields),
    }


def outcome_json(outcome: Outcome) -> dict[str, Any]:
    """Return what came of an action."""
    undo = outcome.undo
    described = None
    if undo is not None:
        described = {"label": undo.label, "action": undo.action, "values": dict(undo.values)}
    return {"is_done": outcome.is_done, "message": outcome.text, "undo": described}
