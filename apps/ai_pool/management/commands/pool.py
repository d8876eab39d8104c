"""Shows how the running pool is doing and lets its operator steer it."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.db import DatabaseError
from django_rich.management import RichCommand

from ai_model.catalog import UnknownModel
from ai_model.checksums import ChecksumMismatch
from ai_model.model_file import BadModelFile
from ai_model.pool.errors import PoolError, PoolUnavailable
from apps.ai_pool.pool_command.banner import BannerCommand
from apps.ai_pool.pool_command.emergency import EmergencyCommand
from apps.ai_pool.pool_command.intake import DrainCommand, PauseCommand, ResumeCommand
from apps.ai_pool.pool_command.known import KnownCommand
from apps.ai_pool.pool_command.limits import LimitsCommand
from apps.ai_pool.pool_command.model import ModelCommand
from apps.ai_pool.pool_command.queue import QueueCommand
from apps.ai_pool.pool_command.restart import RestartCommand
from apps.ai_pool.pool_command.screen import EXIT_DEGRADED, EXIT_DOWN, Screen
from apps.ai_pool.pool_command.selftest import SelftestCommand
from apps.ai_pool.pool_command.size import ResizeCommand
from apps.ai_pool.pool_command.status import StatusCommand, why_down
from apps.ai_pool.pool_command.subcommand import Subcommand

SUBCOMMANDS: tuple[Subcommand, ...] = (
    StatusCommand(),
    PauseCommand(),
    ResumeCommand(),
    DrainCommand(),
    RestartCommand(),
    ResizeCommand(),
    ModelCommand(),
    QueueCommand(),
    KnownCommand(),
    LimitsCommand(),
    EmergencyCommand(),
    BannerCommand(),
    SelftestCommand(),
)


class Command(RichCommand):
    """``pool status|pause|resume|drain|restart|resize|model|queue|limits|emergency|banner|...``.

    Exit code 0 done (status: ready), 1 not done (status: loading, paused or draining), 2 no pool
    answers, or wrong use.
    """

    help = f"The running pool: {', '.join(one.name for one in SUBCOMMANDS)}."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One sub-command each."""
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        for one in SUBCOMMANDS:
            action: ArgumentParser = actions.add_parser(
                one.name, help=one.help, description=f"{one.help[:1].upper()}{one.help[1:]}."
            )
            action.add_argument("--json", action="store_true", dest="as_json", help="print JSON")
            one.add_arguments(action)

    def handle(self, *args: Any, action: str, as_json: bool, **options: Any) -> None:
        """Run one action; everything expected comes out as one sentence."""
        subcommand = next(one for one in SUBCOMMANDS if one.name == action)
        try:
            subcommand.run(Screen(self.stdout, self.console, as_json=as_json), **options)
        except BrokenPipeError:
            # Whoever reads has seen enough; Python must not complain about it at its end either.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except PoolUnavailable as error:
            raise CommandError(why_down(error.text), returncode=EXIT_DOWN) from None
        except PoolError as error:
            raise CommandError(_sentence(error.text), returncode=EXIT_DOWN) from None
        except (BadModelFile, ChecksumMismatch) as error:
            raise CommandError(str(error), returncode=EXIT_DEGRADED) from None
        except (UnknownModel, ValueError) as error:
            raise CommandError(str(error), returncode=EXIT_DOWN) from None
        except DatabaseError as error:
            text = f"The database cannot be used ({error}); `manage.py migrate` may be missing."
            raise CommandError(text, returncode=EXIT_DOWN) from None


def _sentence(text: str) -> str:
    """Return a text with a capital letter in front and a full stop behind."""
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?", ":")) else f"{text}."
