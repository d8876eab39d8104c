"""What the script on a website's pages is told about its chat. All of it is public."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from apps.widget.logo import version_of
from apps.widget.models import Site, SiteText
from apps.widget.models.site_text import MAX_STARTERS
from apps.widget.texts import best_language, language_codes

_MAX_STARTER_CHARS = 120


def config(*, site: Site, language: str = "") -> dict[str, Any]:
    """Look, texts and limits of a site, in the visitor's language as far as the owner wrote it.

    ``language`` of the answer is the one of the product's own words, ``text_language`` the one of
    the owner's. An empty text means the product's own words. The owner's words in another language
    are better than none where they are binding (consent) or name a way out (away).
    """
    rows = {row.language.lower(): row for row in site.texts.all()}
    fallback = rows.get(site.default_language.lower()) or SiteText(language=site.default_language)
    text = _row_for(rows, language) or fallback
    logo = bytes(site.logo)
    return {
        "key": site.key,
        "is_on": site.is_on,
        "assistant_name": site.assistant_name,
        "accent": site.accent.lower(),
        "theme": site.theme,
        "has_logo": bool(logo),
        "logo_version": version_of(logo),
        "language": best_language(language, site.default_language),
        "languages": language_codes(),
        "default_language": site.default_language,
        "text_language": text.language,
        "greeting": text.greeting,
        "starters": _starters(text),
        "launcher_label": text.launcher_label,
        "needs_consent": site.needs_consent,
        "consent": text.consent or fallback.consent,
        "away": text.away or fallback.away,
        "contact": site.contact,
        "privacy_url": site.privacy_url,
        "retention_days": site.retention_days,
        "reads_page": site.reads_page,
        "full_page": site.full_page,
        "limits": {
            "max_chars": max_chars(site),
            "max_inflight": max_inflight(site),
        },
    }


def max_chars(site: Site) -> int:
    """The longest message a visitor of this site may send, in characters."""
    return int(min(site.max_chars, settings.CORRAL_MAX_CHARS))


def max_inflight(site: Site) -> int:
    """How many answers a visitor of this site may wait for at the same time."""
    return int(min(site.max_inflight, settings.CORRAL_MAX_INFLIGHT))


def _row_for(rows: dict[str, SiteText], language: str) -> SiteText | None:
    """The row of this language, else of the language without its region."""
    wanted = language.lower().replace("_", "-")
    return rows.get(wanted) or rows.get(wanted.partition("-")[0])


def _starters(text: SiteText) -> list[str]:
    given = text.starters if isinstance(text.starters, list) else []
    texts = [starter.strip()[:_MAX_STARTER_CHARS] for starter in given if isinstance(starter, str)]
    return [starter for starter in texts if starter][:MAX_STARTERS]
