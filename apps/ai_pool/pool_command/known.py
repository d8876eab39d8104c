"""``pool known``: bad ends that somebody has looked at need no more attention."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from apps.ai_pool.actions.known_ends import forget_known, known_until, mark_known
from apps.ai_pool.audit.notes import note_command
from apps.ai_pool.dashboard.attention import Attention, read_attention
from apps.ai_pool.pool_command.screen import EXIT_DOWN, Screen
from apps.ai_pool.pool_command.subcommand import Subcommand

_HEADINGS = ("end", "count", "last seen (UTC)", "newest", "known until (UTC)")


class KnownCommand(Subcommand):
    """Needs the database, not the pool."""

    name = "known"
    help = "which answers ended badly in 24 hours; mark those of a kind as known"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which kind, and whether it is."""
        parser.add_argument("code", nargs="?", help="the kind to mark; without one, all are listed")
        parser.add_argument("--undo", action="store_true", help="let them need attention again")

    def run(self, screen: Screen, *, code: str | None, undo: bool, **options: Any) -> None:
        """Mark, take back, or list."""
        if undo and not code:
            raise CommandError("Which kind is not to be known any more?", returncode=EXIT_DOWN)
        if undo and code:
            if not forget_known(code):
                raise CommandError(f"Ends with {code} are not marked.", returncode=EXIT_DOWN)
            note_command(f"Ends with {code} are known no more.", subject="pool")
        elif code:
            _check(code)
            mark_known(code, timezone.now())
            note_command(f"Marked ends with {code} as known.", subject="pool")
        _show(screen, read_attention(timezone.now()))


def _check(code: str) -> None:
    found = read_attention(timezone.now())
    there = sorted({*(end.code for end in found.ends), *(end.code for end in found.known)})
    if code not in there:
        text = f"No answer of the last 24 hours ended with {code}"
        more = f"; some ended with {', '.join(there)}." if there else "."
        raise CommandError(text + more, returncode=EXIT_DOWN)


def _show(screen: Screen, found: Attention) -> None:
    until = known_until()
    if screen.as_json:
        screen.write_json(
            {
                "ends": [
                    {
                        "code": end.code,
                        "count": end.count,
                        "last": end.last.isoformat(timespec="seconds"),
                        "samples": list(end.samples),
                        "hint": end.hint,
                    }
                    for end in found.ends
                ],
                "known": [
                    {
                        "code": end.code,
                        "count": end.count,
                        "until": until[end.code].isoformat(timespec="seconds"),
                    }
                    for end in found.known
                    if end.code in until
                ],
                "is_cut": found.is_cut,
            }
        )
        return
    rows = [
        (end.code, str(end.count), f"{end.last:%Y-%m-%d %H:%M}", end.samples[0][:8], "")
        for end in found.ends
    ]
    rows += [
        (end.code, str(end.count), "", "", f"{until[end.code]:%Y-%m-%d %H:%M}")
        for end in found.known
        if end.code in until
    ]
    if rows:
        screen.table(_HEADINGS, rows)
    else:
        screen.say("Every answer of the last 24 hours ended well.")
