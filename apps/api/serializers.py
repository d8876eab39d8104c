"""What the API accepts."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from apps.ai_chat.frame_fields import (
    MAX_COMMENT_CHARS,
    MAX_NUMBER,
    MAX_REASON_CHARS,
    context,
)
from apps.api.json_types import ExactTypes

MAX_KEY_CHARS = 32
MAX_TITLE_CHARS = 120


class TitleSerializer(ExactTypes, serializers.Serializer):  # type: ignore[type-arg]
    """A new title of a conversation."""

    title = serializers.CharField(max_length=MAX_TITLE_CHARS)


class HandoverSerializer(ExactTypes, serializers.Serializer):  # type: ignore[type-arg]
    """Which conversation is open."""

    conversation = serializers.UUIDField(required=False, allow_null=True)


class ConversationFilter(serializers.Serializer):  # type: ignore[type-arg]
    """Which conversations are wanted."""

    site = serializers.CharField(
        required=False, max_length=MAX_KEY_CHARS, help_text="Key of the website they were held on."
    )
    since = serializers.DateTimeField(
        required=False, help_text="Those in which something was said since then."
    )
    title = serializers.CharField(
        required=False, max_length=MAX_TITLE_CHARS, help_text="Those with this in their title."
    )


class MessageFilter(serializers.Serializer):  # type: ignore[type-arg]
    """Which messages of a conversation are wanted."""

    all = serializers.BooleanField(
        required=False,
        default=False,
        help_text="Also those of branches that are not shown: earlier versions and what followed.",
    )


class WaitQuery(serializers.Serializer):  # type: ignore[type-arg]
    """Whether to wait."""

    wait = serializers.ChoiceField(
        choices=["1"], required=False, help_text="Answer when it is finished."
    )
    lang = serializers.CharField(required=False, help_text="Language of what is said about it.")


class PlaceQuery(WaitQuery):
    """And where it is asked."""

    site = serializers.CharField(
        required=False, help_text="For pages: key of the website, while there is no token yet."
    )


class EventQuery(serializers.Serializer):  # type: ignore[type-arg]
    """Where to begin."""

    after = serializers.IntegerField(
        required=False, min_value=0, help_text="As `Last-Event-ID`, for those who cannot send it."
    )
    lang = serializers.CharField(required=False, help_text="Language of what is said about it.")


class QuestionSerializer(ExactTypes, serializers.Serializer):  # type: ignore[type-arg]
    """A question. Ids may be chosen by whoever asks: the same again is answered once."""

    id = serializers.UUIDField(required=False, help_text="Id of the answer's generation.")
    cid = serializers.UUIDField(
        required=False, help_text="Id of the question itself; the same as `id` if left out."
    )
    # Empty or too long is said in the words of the table, with its status.
    text = serializers.CharField(allow_blank=True, trim_whitespace=False)
    conversation = serializers.UUIDField(
        required=False, allow_null=True, help_text="Without it a conversation begins."
    )
    parent = serializers.UUIDField(
        required=False, allow_null=True, help_text="The answer it follows; usually the last one."
    )
    edits = serializers.UUIDField(
        required=False,
        allow_null=True,
        help_text="The question that is put in other words here; conversation and parent are its.",
    )
    context = serializers.DictField(
        required=False, help_text="A few short plain values about where the question was asked."
    )
    site = serializers.CharField(
        required=False,
        max_length=MAX_KEY_CHARS,
        help_text="For programs: the website whose instructions and approved answers count.",
    )

    def validate_context(self, value: Any) -> dict[str, str]:
        """As a frame may carry it."""
        try:
            return context(value)
        except ValueError as error:
            raise serializers.ValidationError(f"It {error}.") from None


class AgainSerializer(ExactTypes, serializers.Serializer):  # type: ignore[type-arg]
    """Another answer, or more of one."""

    id = serializers.UUIDField(required=False, help_text="Id of the new generation.")


class StopSerializer(ExactTypes, serializers.Serializer):  # type: ignore[type-arg]
    """Where an answer is to end."""

    seen = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=0,
        max_value=MAX_NUMBER,
        help_text="Characters its reader has: nothing behind them is kept.",
    )


class FeedbackSerializer(ExactTypes, serializers.Serializer):  # type: ignore[type-arg]
    """A thumb for an answer."""

    value = serializers.ChoiceField(choices=[1, 0, -1], help_text="1 up, -1 down, 0 takes it back.")
    reason = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=MAX_REASON_CHARS
    )
    comment = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=MAX_COMMENT_CHARS
    )


def checked(kind: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """What was sent, if it is what it should be. Raises ValidationError."""
    return _checked(kind(data=request.data))


def checked_query(kind: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """What stands behind the question mark, if it is what it should be. Raises ValidationError."""
    return _checked(kind(data=request.query_params))


def _checked(given: serializers.Serializer[Any]) -> dict[str, Any]:
    given.is_valid(raise_exception=True)
    values: dict[str, Any] = given.validated_data
    return values
