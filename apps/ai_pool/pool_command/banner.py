"""``pool banner``: a sentence on every page and in every widget."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from apps.ai_pool.actions import banner as banners
from apps.ai_pool.actions.records import Banner
from apps.ai_pool.audit.notes import note_command
from apps.ai_pool.pool_command.screen import Screen
from apps.ai_pool.pool_command.subcommand import Subcommand
from apps.ai_pool.table import duration


class BannerCommand(Subcommand):
    """Needs the database, not the pool."""

    name = "banner"
    help = "show a sentence to all visitors, until it is removed or its time is over"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What, how long, or away with it."""
        parser.add_argument("text", nargs="*", help="the sentence; without one, what is shown now")
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--hours", type=float, help="so long (default: until it is removed)")
        how.add_argument("--remove", action="store_true", help="show nothing any more")

    def run(
        self, screen: Screen, *, text: list[str], hours: float | None, remove: bool, **options: Any
    ) -> None:
        """Show, replace or remove."""
        if remove:
            banners.remove_banner()
            shown = None
            note_command("Removed the banner.", subject="pool")
        elif text:
            shown = banners.show_banner(" ".join(text), hours=hours)
            note_command(_sentence(shown), subject="pool")
        else:
            shown = banners.current_banner()
        if screen.as_json:
            screen.write_json(banners.banner_fields(shown))
        else:
            screen.say(_sentence(shown))


def _sentence(shown: Banner | None) -> str:
    fields = banners.banner_fields(shown)
    if fields is None:
        return "No banner is shown."
    until = "until it is removed"
    if fields["left_s"] is not None:
        until = f"for {duration(fields['left_s'])}"
    return f"Visitors see {until}: {fields['text']}"
