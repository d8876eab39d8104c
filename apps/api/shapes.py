"""What the API answers with, for its description. Nothing is read or written through these."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.ai_chat.models import Message

_ID = serializers.UUIDField


class ConversationSerializer(serializers.Serializer[Any]):
    """One conversation."""

    id = _ID()
    title = serializers.CharField()
    updated = serializers.DateTimeField(help_text="When something was said in it.")
    live = _ID(allow_null=True, help_text="The generation that is being written in it.")
    num_unread = serializers.IntegerField(help_text="Finished answers that were not seen yet.")


class VersionsSerializer(serializers.Serializer[Any]):
    """Versions of one message."""

    index = serializers.IntegerField(help_text="Which of them this is, from 0.")
    ids = serializers.ListField(child=_ID(), help_text="All of them, the oldest one first.")


class GivenFeedbackSerializer(serializers.Serializer[Any]):
    """What a visitor thought of an answer."""

    value = serializers.ChoiceField(choices=[1, -1])
    reason = serializers.CharField(allow_blank=True)
    comment = serializers.CharField(allow_blank=True)


class FailureSerializer(serializers.Serializer[Any]):
    """Why an answer has no proper end."""

    code = serializers.CharField(help_text="As in the table of errors.")
    text = serializers.CharField()


class UsageSerializer(serializers.Serializer[Any]):
    """Tokens."""

    prompt = serializers.IntegerField(help_text="Read.")
    completion = serializers.IntegerField(help_text="Written.")
    cached = serializers.IntegerField(help_text="Of those read, known before.")


class TimingSerializer(serializers.Serializer[Any]):
    """How long it took."""

    queue_ms = serializers.IntegerField(allow_null=True)
    ttft_ms = serializers.IntegerField(allow_null=True, help_text="Until the first text.")
    gen_ms = serializers.IntegerField()
    tok_s = serializers.FloatField(allow_null=True)


class MessageSerializer(serializers.Serializer[Any]):
    """A question or an answer."""

    id = _ID()
    role = serializers.ChoiceField(choices=Message.Role.choices)
    text = serializers.CharField(allow_blank=True)
    nodes = serializers.ListField(
        child=serializers.JSONField(),
        allow_null=True,
        help_text="The Markdown of a finished answer, as a tree.",
    )
    state = serializers.ChoiceField(choices=Message.State.choices)
    generation = _ID(allow_null=True, help_text="Of an answer.")
    created = serializers.DateTimeField()
    parent = _ID(allow_null=True, help_text="The message before it.")
    versions = VersionsSerializer()
    reason = serializers.CharField(allow_blank=True, help_text="How the answer ended.")
    trimmed_turns = serializers.IntegerField(
        help_text="Earlier turns that did not fit into what the model could read."
    )
    quality = serializers.ChoiceField(choices=["full", "reduced"], allow_blank=True)
    is_approved = serializers.BooleanField(help_text="Staff wrote it, not the model.")
    suggestions = serializers.ListField(
        child=serializers.CharField(), help_text="Questions offered beside it."
    )
    context = serializers.DictField(
        child=serializers.CharField(allow_blank=True),
        help_text="What the page told about itself with a question.",
    )
    feedback = GivenFeedbackSerializer(allow_null=True)
    can_continue = serializers.BooleanField(help_text="It may have had more to say.")
    error = FailureSerializer(allow_null=True)
    usage = UsageSerializer(allow_null=True)
    timing = TimingSerializer(allow_null=True)


class ConversationWithMessagesSerializer(ConversationSerializer):
    """One conversation and what is shown of it."""

    messages = MessageSerializer(many=True)


class GenerationSerializer(serializers.Serializer[Any]):
    """One generation: a question on its way to its answer."""

    id = _ID()
    conversation = _ID()
    question = _ID(allow_null=True, help_text="The message that asks.")
    state = serializers.ChoiceField(choices=Message.State.choices)
    waiting = serializers.DictField(
        allow_null=True,
        help_text="What it waits for (`for`: queue, load, prompt, stall) and the numbers of that.",
    )
    url = serializers.CharField(help_text="Its address on this server.")
    events = serializers.CharField(help_text="Where it is followed as it is written.")
    answer = MessageSerializer()


class AskedSerializer(GenerationSerializer):
    """A generation that was asked for."""

    token = serializers.CharField(
        required=False, help_text="For a new visitor of a website: to come back with."
    )
    token_exp = serializers.IntegerField(
        required=False, help_text="When that ends, in epoch seconds."
    )


class GenerationsSerializer(serializers.Serializer[Any]):
    """The generations at work."""

    results = GenerationSerializer(many=True)


class VisitorSerializer(serializers.Serializer[Any]):
    """What is kept of a visitor."""

    kept = serializers.ListField(child=serializers.CharField())
    num_conversations = serializers.IntegerField()
    retention_days = serializers.IntegerField(
        allow_null=True, help_text="After the last message; null: until the visitor deletes it."
    )


class ErasedSerializer(serializers.Serializer[Any]):
    """What was deleted."""

    num_conversations = serializers.IntegerField()
    num_messages = serializers.IntegerField()


class ExportSerializer(serializers.Serializer[Any]):
    """Everything that is stored of a visitor."""

    format = serializers.CharField()
    exported = serializers.DateTimeField()
    conversations = serializers.ListField(child=serializers.DictField())


class HandoverAddressSerializer(serializers.Serializer[Any]):
    """The way to the full page."""

    url = serializers.CharField()
    expires_in_s = serializers.IntegerField()
