"""The tables of the embedded chat."""

from __future__ import annotations

from apps.widget.models.erasure import Erasure
from apps.widget.models.handover import Handover
from apps.widget.models.instructions import Instructions
from apps.widget.models.origin import AllowedOrigin, RefusedOrigin
from apps.widget.models.site import Site
from apps.widget.models.site_text import SiteText

__all__ = [
    "AllowedOrigin",
    "Erasure",
    "Handover",
    "Instructions",
    "RefusedOrigin",
    "Site",
    "SiteText",
]
