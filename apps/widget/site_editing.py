"""Sites listed and changed by programs and staff; what has an effect elsewhere has its own door in
``services``. Synchronous; uses the database."""

from __future__ import annotations

from typing import Any

from django.conf.locale import LANG_INFO
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from apps.widget.errors import UnknownSite
from apps.widget.models import Site

CHANGEABLE = (
    *("name", "is_on", "assistant_name", "accent", "theme", "default_language"),
    *("privacy_url", "contact", "needs_consent", "reads_page", "full_page"),
    *("retention_days", "max_chars", "max_inflight"),
)


def list_sites() -> QuerySet[Site]:
    """All sites by name, with their origins at hand and without their logos."""
    return Site.objects.defer("logo").prefetch_related("origins").order_by("name", "id")


def get_site(key: str) -> Site:
    """One of them. Raises UnknownSite."""
    found = list_sites().filter(key=key).first()
    if found is None:
        raise UnknownSite
    return found


def change_site(site: Site, **values: Any) -> Site:
    """Give a site other ``values`` of CHANGEABLE. Raises ValidationError, with nothing changed."""
    unknown = set(values) - set(CHANGEABLE)
    if unknown:
        raise ValueError(f"{', '.join(sorted(unknown))} can not be changed here")
    for name, value in values.items():
        setattr(site, name, value)
    if site.default_language not in LANG_INFO:
        raise ValidationError({"default_language": "There is no such language."})
    site.full_clean(exclude={field.name for field in Site._meta.fields} - set(values))
    site.save(update_fields=list(values))
    return site
