"""What ``manage.py pool`` knows of each of its sub-commands."""

from __future__ import annotations

from abc import ABC, abstractmethod
from argparse import ArgumentParser
from typing import Any, ClassVar

from apps.ai_pool.pool_command.screen import Screen


class Subcommand(ABC):
    """One word behind ``pool``. Errors of the pool go up: the command makes sentences of them."""

    name: ClassVar[str]
    help: ClassVar[str]

    def add_arguments(self, parser: ArgumentParser) -> None:  # noqa: B027
        """Add what this one takes besides --json."""

    @abstractmethod
    def run(self, screen: Screen, *args: Any, **options: Any) -> None:
        """Do it. Raises CommandError with an exit code when it was not done."""
