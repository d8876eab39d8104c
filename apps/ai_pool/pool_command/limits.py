"""``pool limits``: change a limit for a while."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from ai_model.pool.control_result import ControlResult
from ai_model.pool.errors import PoolUnavailable
from ai_model.pool.status import PoolState
from ai_model.pool.temporary_limit import LimitName, TemporaryLimit
from apps.ai_pool import services
from apps.ai_pool.pool_command.screen import EXIT_DOWN, Screen
from apps.ai_pool.pool_command.subcommand import Subcommand
from apps.ai_pool.table import duration

DEFAULT_MINUTES = 60.0


class LimitsCommand(Subcommand):
    """Lists, changes and undoes. What should last is a setting."""

    name = "limits"
    help = "change a limit for a while; it goes back by itself"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which limit, its value, how long."""
        parser.add_argument("limit", nargs="?", choices=list(map(str, LimitName)), metavar="LIMIT")
        parser.add_argument("value", nargs="?", type=int, help="its value meanwhile")
        parser.add_argument(
            "--minutes",
            type=float,
            default=DEFAULT_MINUTES,
            help="how long (default: %(default).0f, at most a day)",
        )
        parser.add_argument(
            "--undo", action="store_true", help="go back now: LIMIT, or all of them without one"
        )
        names = ", ".join(LimitName)
        parser.epilog = f"LIMIT is one of {names}. Without any, the changed ones are shown."

    def run(
        self,
        screen: Screen,
        *,
        limit: str | None,
        value: int | None,
        minutes: float,
        undo: bool,
        **options: Any,
    ) -> None:
        """Do one of the three."""
        if undo and value is not None:
            raise CommandError("--undo takes no value.", returncode=EXIT_DOWN)
        if undo:
            _undo(screen, limit)
        elif limit is None:
            _show(screen, _changed())
        elif value is None:
            raise CommandError(f"What is {limit} to be meanwhile?", returncode=EXIT_DOWN)
        else:
            screen.tell(services.limit_pool(LimitName(limit), value, minutes * 60))


def _changed() -> tuple[TemporaryLimit, ...]:
    status = services.read_status()
    if status.state is PoolState.DOWN:
        raise PoolUnavailable(status.reason)
    return status.limits


def _undo(screen: Screen, limit: str | None) -> None:
    names = [LimitName(limit)] if limit else [one.name for one in _changed()]
    result: ControlResult | None = None
    for name in names:
        result = services.unlimit_pool(name)
    if result is None:
        _show(screen, ())
    else:
        screen.tell(result)


def _show(screen: Screen, limits: tuple[TemporaryLimit, ...]) -> None:
    if screen.as_json:
        screen.write_json([one.to_json() for one in limits])
    elif not limits:
        screen.say("All limits are as usual.")
    else:
        rows = [
            (str(one.name), str(one.value), str(one.usual), duration(one.left_s)) for one in limits
        ]
        screen.table(("limit", "now", "usually", "time left"), rows)
