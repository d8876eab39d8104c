"""A site as programs and staff read and change it. Its secret is nobody's business here."""

from __future__ import annotations

from rest_framework import serializers

from apps.api.json_types import ExactTypes
from apps.widget.models import Site
from apps.widget.site_editing import CHANGEABLE


class SiteSerializer(ExactTypes, serializers.ModelSerializer):  # type: ignore[type-arg]
    """One website that carries the chat."""

    origins = serializers.SlugRelatedField(
        slug_field="origin",
        many=True,
        read_only=True,
        help_text="Of the pages that may show the chat; changed in the admin.",
    )

    class Meta:
        model = Site
        fields = ("key", *CHANGEABLE, "origins", "created")
        read_only_fields = ("key", "created")
