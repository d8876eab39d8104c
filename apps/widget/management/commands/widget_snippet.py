"""``manage.py widget_snippet SITE_KEY``: the tag of a site's chat, for scripts and terminals."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.widget import services
from apps.widget.errors import BadOrigin, UnknownSite
from apps.widget.origins import parse_entry
from apps.widget.snippet import Snippet

_ANY_HOST = ("*", "localhost", "127.0.0.1", "[::1]")


class Command(BaseCommand):
    """Prints what an owner pastes into their pages."""

    help = "Print the script tag of a site's chat, the pinned tag and the lines for a CSP."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("site_key", help="the key of the site, such as site_0123456789abcdef")
        parser.add_argument(
            "--base",
            default="",
            help="origin of this server, such as https://chat.example.org; "
            "without it the first name of ALLOWED_HOSTS is taken",
        )

    def handle(self, *args: Any, site_key: str, base: str, **options: Any) -> None:
        try:
            site = services.find_site(site_key)
            base = str(parse_entry(base)) if base else default_base()
        except UnknownSite:
            raise CommandError(f"There is no site with the key {site_key!r}.") from None
        except BadOrigin as error:
            raise CommandError(f"--base: {error.text}") from None
        snippet = Snippet(base, site.key)
        for title, text in (
            ("Paste this before </body> of your pages:", snippet.tag),
            ("Or, for exactly this version:", snippet.pinned_tag),
            (
                "If your pages send a Content-Security-Policy, add:",
                f"{snippet.script_src}\n{snippet.connect_src}",
            ),
        ):
            self.stdout.write(f"{title}\n{text}\n")


def default_base() -> str:
    """Our own origin as far as the settings tell it."""
    for host in settings.ALLOWED_HOSTS:
        if host not in _ANY_HOST:
            return f"https://{host.removeprefix('.')}"
    return "http://127.0.0.1:8000"
