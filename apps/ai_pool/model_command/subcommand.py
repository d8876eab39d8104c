"""What ``manage.py model`` knows of each of its sub-commands."""

from __future__ import annotations

from abc import ABC, abstractmethod
from argparse import ArgumentParser
from typing import Any, ClassVar

from ai_model.store import ModelStore
from apps.ai_pool.pool_command.screen import Screen


class Subcommand(ABC):
    """One word behind ``model``. Errors about models go up: the command makes sentences of them."""

    name: ClassVar[str]
    help: ClassVar[str]
    has_json: ClassVar[bool] = False
    """Whether it prints data, and so takes --json."""

    def add_arguments(self, parser: ArgumentParser) -> None:  # noqa: B027
        """Add what this one takes besides --json."""

    @abstractmethod
    def run(self, screen: Screen, store: ModelStore, **options: Any) -> None:
        """Do it. Raises CommandError with an exit code when it was not done."""
