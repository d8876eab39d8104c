"""What a program is told about the pool, in the few fields that most need."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from ai_model.pool.status import PoolState, PoolStatus
from apps.ai_pool import services
from apps.ai_pool.actions.banner import banner_fields, current_banner


class BannerSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """The sentence that visitors see above their conversations."""

    text = serializers.CharField()
    left_s = serializers.IntegerField(
        allow_null=True, help_text="Seconds until it goes; null: until somebody removes it."
    )


class SummarySerializer(serializers.Serializer):  # type: ignore[type-arg]
    """How the pool is doing."""

    state = serializers.ChoiceField(choices=[str(state) for state in PoolState])
    takes_questions = serializers.BooleanField(
        help_text="A question asked now would be answered, if the line has a place."
    )
    reason = serializers.CharField(allow_blank=True, help_text="Why not, in a sentence.")
    retry_after_s = serializers.IntegerField(help_text="When to look again; 0 if all is well.")
    available = serializers.IntegerField(help_text="Instances that are idle.")
    instances = serializers.IntegerField()
    in_use = serializers.IntegerField()
    waiting = serializers.IntegerField(help_text="Questions in line.")
    wait_s = serializers.IntegerField(
        allow_null=True, help_text="How long the line takes, roughly; null if nobody waits."
    )
    model = serializers.CharField(allow_null=True, help_text="Name and quantisation.")
    memory_level = serializers.CharField(
        allow_blank=True, help_text="low, medium, high or critical; empty if unknown."
    )
    banner: Any = BannerSerializer(allow_null=True)


def summary(status: PoolStatus) -> dict[str, Any]:
    """Return the short form of a status. Uses the database."""
    health = services.health_of(status)
    model = status.model
    return services.public_form(status) | {
        "takes_questions": health.is_ok,
        "reason": health.reason,
        "retry_after_s": health.retry_after_s,
        "model": None if model is None else f"{model.name} {model.quant}".strip(),
        "memory_level": status.memory.level,
        "banner": banner_fields(current_banner()),
    }
