"""Lists, fetches, verifies, chooses and inspects model files."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django_rich.management import RichCommand

from ai_model.catalog import UnknownModel
from ai_model.checksums import ChecksumMismatch
from ai_model.download import DownloadError
from ai_model.model_file import BadModelFile
from ai_model.synthetic import SynthesisError
from apps.ai_pool import conf
from apps.ai_pool.model_command.fetching import FetchCommand
from apps.ai_pool.model_command.inspecting import InspectCommand
from apps.ai_pool.model_command.listing import ListCommand
from apps.ai_pool.model_command.subcommand import Subcommand
from apps.ai_pool.model_command.synthesising import SynthCommand
from apps.ai_pool.model_command.using import UseCommand
from apps.ai_pool.model_command.verifying import VerifyCommand
from apps.ai_pool.pool_command.screen import Screen

SUBCOMMANDS: tuple[Subcommand, ...] = (
    ListCommand(),
    FetchCommand(),
    VerifyCommand(),
    UseCommand(),
    InspectCommand(),
    SynthCommand(),
)


class Command(RichCommand):
    """``model list|fetch|verify|use|inspect|synth``. Exits 0 done, 1 not done, 2 wrong usage."""

    help = f"The model files: {', '.join(one.name for one in SUBCOMMANDS)}."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One sub-command each."""
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        for one in SUBCOMMANDS:
            action: ArgumentParser = actions.add_parser(
                one.name, help=one.help, description=f"{one.help[:1].upper()}{one.help[1:]}."
            )
            if one.has_json:
                action.add_argument(
                    "--json", action="store_true", dest="as_json", help="print JSON"
                )
            one.add_arguments(action)

    def handle(self, *args: Any, action: str, as_json: bool = False, **options: Any) -> None:
        """Run one action; everything expected comes out as one sentence."""
        subcommand = next(one for one in SUBCOMMANDS if one.name == action)
        screen = Screen(self.stdout, self.console, as_json=as_json)
        try:
            subcommand.run(screen, conf.model_store(), **options)
        except BrokenPipeError:
            # Whoever reads has seen enough; Python must not complain about it at its end either.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except UnknownModel as error:
            raise CommandError(str(error), returncode=2) from None
        except (
            BadModelFile,
            ChecksumMismatch,
            DownloadError,
            SynthesisError,
            conf.ImpossibleSetting,
        ) as error:
            raise CommandError(str(error)) from None
        except OSError as error:
            raise CommandError(f"{error.filename or 'A file'}: {error.strerror}.") from None
