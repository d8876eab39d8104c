"""Makes, lists, changes, rotates and revokes keys of programs."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from rich.console import Console

from apps.ai_pool.audit.notes import note_command
from apps.ai_pool.pool_command.screen import Screen
from apps.api.api_keys import BadKeyField, change_key, create_key, revoke_key, rotate_key
from apps.api.key_row import HEADINGS, LIMITS, key_cells, key_fields
from apps.api.models import ApiKey

WRONG_USE = 2
MAX_LIMIT, MAX_RUNNING = 2_147_483_647, 32_767
"""What the columns of the database can hold."""


class Command(BaseCommand):
    """``create`` and ``rotate`` print a key once: it cannot be shown again."""

    help = "Make, list, change, rotate and revoke the keys with which programs use the API."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One action, and what it needs."""
        actions = parser.add_subparsers(dest="action", required=True)
        create = actions.add_parser("create", help="make a key and print it")
        create.add_argument("name", help="which program has it")
        _add_fields(create)
        create.add_argument("--owner", help="user who answers for what it does")
        listing = actions.add_parser("list", help="show the keys there are")
        change = actions.add_parser("change", help="change what a key may; it stays the same key")
        _add_name(change)
        change.add_argument("--rename", metavar="NAME", help="what it is called from now on")
        _add_fields(change)
        change.add_argument("--anywhere", action="store_true", help="from everywhere again")
        change.add_argument("--no-end", action="store_true", help="it does not end by itself")
        rotate = actions.add_parser("rotate", help="print another secret for the same key")
        _add_name(rotate)
        rotate.add_argument(
            "--keep-hours", type=float, default=0, help="the old secret works so long (0)"
        )
        revoke = actions.add_parser("revoke", help="let a key open nothing any more")
        _add_name(revoke)
        for one in (create, listing, change, rotate, revoke):
            one.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do one of them."""
        console = Console(file=sys.stdout) if self.stdout.isatty() else Console(file=self.stdout)  # type: ignore[arg-type]
        self.screen = Screen(self.stdout, console, as_json=options["json"])
        try:
            getattr(self, f"_{options['action']}")(options)
        except BadKeyField as error:
            raise CommandError(str(error), returncode=WRONG_USE) from None

    def _create(self, options: dict[str, Any]) -> None:
        fields = _fields(options)
        key, secret = create_key(
            name=options["name"],
            scopes=fields.pop("scopes", [ApiKey.Scope.CHAT]),
            created_by=_owner(options["owner"]),
            **fields,
        )
        note_command(f"Made the key {key.name}.", subject=f"apikey {key.pk}")
        self._show_secret(key, secret, f"Key {key.name!r} is made. It is shown only this once:")

    def _list(self, options: dict[str, Any]) -> None:
        keys = list(ApiKey.objects.select_related("created_by"))
        if options["json"]:
            self.screen.write_json([key_fields(key) for key in keys])
        elif not keys:
            self.stdout.write("There are no keys. `manage.py apikey create NAME` makes one.")
        else:
            self.screen.table(HEADINGS, [key_cells(key) for key in keys])

    def _change(self, options: dict[str, Any]) -> None:
        key = _find(options["name"])
        fields = _fields(options)
        if options["rename"] is not None:
            fields["name"] = options["rename"]
        if options["anywhere"]:
            fields["allowed_networks"] = []
        if options["no_end"]:
            fields["expires_at"] = None
        if not fields:
            raise BadKeyField("Say what to change; --help lists it.")
        changed = change_key(key, fields)
        if changed:
            text = f"Changed {', '.join(changed)} of the key {key.name}."
            note_command(text, subject=f"apikey {key.pk}")
        self._show(key, f"Changed {', '.join(changed)}." if changed else "It is so already.")

    def _rotate(self, options: dict[str, Any]) -> None:
        key = _find(options["name"])
        if not 0 <= options["keep_hours"] <= 24 * 90:
            raise BadKeyField("The old secret can be kept for 0 to 2160 hours.")
        secret = rotate_key(key, keep=timedelta(hours=options["keep_hours"]))
        note_command(f"Rotated the key {key.name}.", subject=f"apikey {key.pk}")
        until = key.former_until
        old = "does not work any more" if until is None else f"works until {until:%Y-%m-%d %H:%M}"
        text = f"Key {key.name!r} has another secret; the old one {old}. Shown only this once:"
        self._show_secret(key, secret, text)

    def _revoke(self, options: dict[str, Any]) -> None:
        key = _find(options["name"])
        revoke_key(key)
        note_command(f"Revoked the key {key.name}.", subject=f"apikey {key.pk}")
        key.refresh_from_db()
        self._show(key, f"Key {key.name!r} opens nothing any more.")

    def _show(self, key: ApiKey, text: str) -> None:
        if self.screen.as_json:
            self.screen.write_json(key_fields(key))
        else:
            self.stdout.write(text)

    def _show_secret(self, key: ApiKey, secret: str, text: str) -> None:
        if self.screen.as_json:
            self.screen.write_json(key_fields(key) | {"key": secret})
            return
        # The key alone goes to stdout, so that it can be piped into a file.
        self.stderr.write(text)
        self.stdout.write(secret)


def _add_name(parser: ArgumentParser) -> None:
    parser.add_argument("name", help="its name, or how it begins")


def _add_fields(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--scope",
        action="append",
        choices=ApiKey.Scope.values,
        help="what it is good for; may be given several times (chat)",
    )
    parser.add_argument(
        "--from",
        dest="networks",
        action="append",
        metavar="NETWORK",
        help="address or network it may be used from; may be given several times (anywhere)",
    )
    for name, text in LIMITS.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, help=f"{text}; 0: no limit")
    parser.add_argument("--days", type=int, help="it ends after so many days (never)")


def _fields(options: dict[str, Any]) -> dict[str, Any]:
    """What was said about a key. Raises BadKeyField."""
    limits = {name: options[name] for name in LIMITS if options[name] is not None}
    for name, value in limits.items():
        most = MAX_RUNNING if name == "max_running" else MAX_LIMIT
        if not 0 <= value <= most:
            raise BadKeyField(f"{name} is a number from 0 to {most:,}.")
    fields: dict[str, Any] = dict(limits)
    if options["scope"] is not None:
        fields["scopes"] = options["scope"]
    if options["networks"] is not None:
        fields["allowed_networks"] = options["networks"]
    if options["days"] is not None:
        fields["expires_at"] = _end(options["days"])
    return fields


def _end(days: int) -> datetime:
    if not 1 <= days <= 36_500:
        raise BadKeyField("A key lasts one day at least, and a hundred years at most.")
    return timezone.now() + timedelta(days=days)


def _owner(name: str | None) -> Any:
    if name is None:
        return None
    users: Any = get_user_model()
    user = users.objects.filter(**{users.USERNAME_FIELD: name}).first()
    if user is None:
        raise BadKeyField(f"There is no user called {name!r}.")
    return user


def _find(wanted: str) -> ApiKey:
    """The key with this name, or the only one that begins so. Raises BadKeyField."""
    keys = [key for key in ApiKey.objects.all() if wanted in (key.name, key.prefix)]
    if len(keys) != 1:
        found = "several keys" if keys else "no key"
        raise BadKeyField(f"There is {found} called {wanted!r}.")
    return keys[0]
