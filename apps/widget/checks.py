"""System checks of sites; they read the database, so they run where Django allows that:
``manage.py check --database default`` and ``manage.py migrate``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connections

from apps.widget.advice import advice_for
from apps.widget.models import AllowedOrigin, Site, SiteText


@register(Tags.database)
def check_sites(
    app_configs: Sequence[Any] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """corral.E010 to corral.W015: what an owner should mend about a site."""
    found: list[CheckMessage] = []
    for alias in databases or ():
        if not _has_tables(alias):
            continue
        sites = Site.objects.using(alias).defer("logo").prefetch_related("origins", "texts")
        for site in sites:
            for advice in advice_for(site):
                kind = Error if advice.is_error else Warning
                text = f"Site {site.name!r}: {advice.text}"
                found.append(kind(text, hint=advice.hint, id=advice.id))
    return found


def _has_tables(alias: str) -> bool:
    """Before the first migrate there is nothing to check."""
    known = set(connections[alias].introspection.table_names())
    return {model._meta.db_table for model in (Site, SiteText, AllowedOrigin)} <= known
