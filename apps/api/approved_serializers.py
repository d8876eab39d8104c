"""Approved answers as programs and staff read and write them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from rest_framework import serializers

from apps.ai_chat.approved_answers import MAX_QUESTION_CHARS, MAX_WORDINGS
from apps.ai_chat.models import ApprovedAnswer
from apps.api.json_types import ExactTypes
from apps.widget.models import Site


class SiteField(serializers.SlugRelatedField):  # type: ignore[type-arg]
    """A website by its key. An empty key is none: what is meant for our own page says null."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """The site, or None for null."""
        if data == "":
            self.fail("does_not_exist", slug_name="key", value="")
        return super().run_validation(data)


class ApprovedAnswerSerializer(ExactTypes, serializers.ModelSerializer):  # type: ignore[type-arg]
    """An answer, and the wordings of the question it is given to."""

    site = SiteField(
        slug_field="key",
        queryset=Site.objects.defer("logo"),
        allow_null=True,
        required=False,
        default=None,
        help_text="Key of the website it is given on; null is our own page.",
    )
    language = serializers.ChoiceField(
        choices=settings.LANGUAGES, required=False, help_text="The site's own if left out."
    )
    wordings = serializers.ListField(
        child=serializers.CharField(max_length=MAX_QUESTION_CHARS),
        min_length=1,
        max_length=MAX_WORDINGS,
        help_text="The question, in all its wordings; case and punctuation make no difference.",
    )

    class Meta:
        model = ApprovedAnswer
        fields = ("id", "site", "language", "text", "wordings", "is_on", "created", "updated")
        read_only_fields = ("id", "created", "updated")

    def to_representation(self, instance: ApprovedAnswer) -> dict[str, Any]:
        """As a row with its questions has it."""
        return {
            "id": instance.pk,
            "site": instance.site.key if instance.site else None,
            "language": instance.language,
            "text": instance.text,
            "wordings": [question.text for question in instance.questions.all()],
            "is_on": instance.is_on,
            "created": instance.created.isoformat(),
            "updated": instance.updated.isoformat(),
        }


class ApprovedAnswerFilter(serializers.Serializer):  # type: ignore[type-arg]
    """Which approved answers are wanted."""

    site = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=32,
        help_text="Key of a website; empty for our own page.",
    )
    language = serializers.CharField(required=False, max_length=12)
    is_on = serializers.BooleanField(required=False, allow_null=True, default=None)
    text = serializers.CharField(
        required=False,
        max_length=MAX_QUESTION_CHARS,
        help_text="Those with this in the answer or in a wording.",
    )
