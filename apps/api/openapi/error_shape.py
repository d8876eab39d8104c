"""What every error of REST looks like."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


class ErrorDetail(serializers.Serializer):  # type: ignore[type-arg]
    """What went wrong."""

    code = serializers.CharField(help_text="A word that stays the same.")
    message = serializers.CharField(help_text="A sentence for people.")
    request_id = serializers.CharField(
        required=False, help_text="Stands in the server's log and in `X-Request-ID`."
    )


class ErrorSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """The one shape of errors."""

    error: Any = ErrorDetail()
