"""Makes, lists and revokes keys of programs."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from apps.api.api_keys import BadKeyField, create_key, revoke_key
from apps.api.models import ApiKey

LIMITS = {
    "requests_per_minute": "requests in each minute",
    "tokens_per_hour": "tokens of answers in each hour",
    "max_running": "requests open at the same time",
}


class Command(BaseCommand):
    """``create`` prints the key once: it cannot be shown again."""

    help = "Make, list and revoke the keys with which programs use the API."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One action, and what it needs."""
        actions = parser.add_subparsers(dest="action", required=True)
        create = actions.add_parser("create", help="make a key and print it")
        create.add_argument("name", help="which program has it")
        create.add_argument(
            "--scope",
            action="append",
            choices=ApiKey.Scope.values,
            help="what it is good for; may be given several times (chat)",
        )
        create.add_argument(
            "--from",
            dest="networks",
            action="append",
            default=[],
            metavar="NETWORK",
            help="address or network it may be used from; may be given several times (anywhere)",
        )
        for name, help in LIMITS.items():
            option = f"--{name.replace('_', '-')}"
            create.add_argument(option, type=int, help=f"{help}; 0: no limit")
        create.add_argument("--days", type=int, help="it ends after so many days (never)")
        listing = actions.add_parser("list", help="show the keys there are")
        listing.add_argument("--json", action="store_true")
        revoke = actions.add_parser("revoke", help="let a key open nothing any more")
        revoke.add_argument("name", help="its name, or how it begins")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do one of the three."""
        {"create": self._create, "list": self._list, "revoke": self._revoke}[options["action"]](
            options
        )

    def _create(self, options: dict[str, Any]) -> None:
        days = options["days"]
        if days is not None and days < 1:
            raise CommandError("A key lasts one day at least.", returncode=2)
        limits = {name: options[name] for name in LIMITS if options[name] is not None}
        if any(value < 0 for value in limits.values()):
            raise CommandError("A limit is a number from 0.", returncode=2)
        try:
            key, secret = create_key(
                name=options["name"],
                scopes=options["scope"] or [ApiKey.Scope.CHAT],
                allowed_networks=options["networks"],
                expires_at=None if days is None else timezone.now() + timedelta(days=days),
                **limits,
            )
        except BadKeyField as error:
            raise CommandError(str(error), returncode=2) from None
        # The key alone goes to stdout, so that it can be piped into a file.
        self.stderr.write(f"Key {key.name!r} is made. It is shown only this once:")
        self.stdout.write(secret)

    def _list(self, options: dict[str, Any]) -> None:
        keys = list(ApiKey.objects.all())
        if options["json"]:
            self.stdout.write(json.dumps([_described(key) for key in keys], indent=1))
            return
        if not keys:
            self.stdout.write("There are no keys. `manage.py apikey create NAME` makes one.")
        for key in keys:
            used = f"{key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "never used"
            scopes = ", ".join(key.scopes)
            self.stdout.write(f"{key.prefix}...  {key.state:8} {used:16}  {key.name}  ({scopes})")

    def _revoke(self, options: dict[str, Any]) -> None:
        wanted = options["name"]
        keys = [key for key in ApiKey.objects.all() if wanted in (key.name, key.prefix)]
        if len(keys) != 1:
            found = "several keys" if keys else "no key"
            raise CommandError(f"There is {found} called {wanted!r}.", returncode=2)
        revoke_key(keys[0])
        self.stdout.write(f"Key {keys[0].name!r} opens nothing any more.")


def _described(key: ApiKey) -> dict[str, Any]:
    return {
        "name": key.name,
        "prefix": key.prefix,
        "state": key.state,
        "scopes": key.scopes,
        "allowed_networks": key.allowed_networks,
        **{name: getattr(key, name) for name in LIMITS},
        "created_at": key.created_at.isoformat(),
        "expires_at": key.expires_at.isoformat() if key.expires_at else None,
        "last_used_at": key.last_used_at.isoformat() if key.last_used_at else None,
    }
