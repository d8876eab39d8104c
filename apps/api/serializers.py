"""What the API accepts."""

from __future__ import annotations

from rest_framework import serializers


class TitleSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """A new title of a conversation."""

    title = serializers.CharField(max_length=120)


class HandoverSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """Which conversation is open."""

    conversation = serializers.UUIDField(required=False, allow_null=True)
