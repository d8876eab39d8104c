"""What the chat page shows of itself: our own name and words, or those of a website."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext

from apps.widget import services as sites
from apps.widget.models import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """Names, look and limits of the page; an empty text means the product's own words."""

    assistant_name: str
    site_name: str
    max_chars: int
    home: str = "/"
    """Address of a new chat."""
    site_key: str = ""
    accent: str = ""
    """``#rrggbb``, or empty for the page's own."""
    logo: str = ""
    greeting: str = ""
    starters: tuple[str, ...] = ()
    text_language: str = ""
    """Language of greeting and starters."""
    privacy_url: str = ""

    @property
    def title(self) -> str:
        """What the browser's tab says."""
        names = dict.fromkeys((self.assistant_name, self.site_name))
        return " - ".join(names)

    @property
    def query(self) -> str:
        """What every request of the page carries to be made as the website's visitor."""
        return f"handover={self.site_key}" if self.site_key else ""


def own_face() -> Face:
    """The page as the owner of this server named it."""
    name: str = settings.CORRAL_ASSISTANT_NAME
    return Face(
        # Without a name it is called what it is.
        assistant_name=gettext("Assistant") if name in ("", "Assistant") else name,
        site_name=settings.CORRAL_SITE_NAME,
        max_chars=settings.CORRAL_MAX_CHARS,
    )


def face_of(site: Site, language: str) -> Face:
    """The page as the owner of a website named its assistant, in the visitor's language."""
    config = sites.config(site=site, language=language)
    logo = reverse("widget:site-logo", args=[site.key]) if config["has_logo"] else ""
    return Face(
        assistant_name=config["assistant_name"],
        site_name=config["assistant_name"],
        max_chars=config["limits"]["max_chars"],
        home=f"/?site={site.key}",
        site_key=site.key,
        accent=config["accent"],
        logo=logo and f"{logo}?v={config['logo_version']}",
        greeting=config["greeting"],
        starters=tuple(config["starters"]),
        text_language=config["text_language"],
        privacy_url=config["privacy_url"],
    )
