"""What the sub-commands write to: colours on a terminal, plain lines into a pipe, or JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from django.core.management.base import CommandError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ai_model.pool.control_result import ControlResult
from apps.ai_pool.audit.notes import note_command

EXIT_DEGRADED = 1
EXIT_DOWN = 2
TABLE_WIDTH = 80
"""On a narrower terminal a table would cut off the ids that --cancel needs."""


class _Output(Protocol):
    def write(self, msg: str) -> object: ...


class Screen:
    """The output of one command."""

    def __init__(self, output: _Output, console: Console, *, as_json: bool = False) -> None:
        self.console = console
        self.as_json = as_json
        self._output = output

    @property
    def is_terminal(self) -> bool:
        """Whether a person looks at it."""
        return self.console.is_terminal

    def write(self, text: str) -> None:
        """Write lines as they are."""
        self._output.write(text)

    def say(self, text: str, style: str = "bold") -> None:
        """Write a line: in colour on a terminal, as it is into a pipe."""
        if self.is_terminal:
            self.console.print(Text(text, style=style))
        else:
            self.write(text)

    def write_json(self, value: object) -> None:
        """Write a value as JSON."""
        self.write(json.dumps(value, indent=1))

    def tell(self, result: ControlResult) -> None:
        """Write what the pool did; raises CommandError with the reason when it did not."""
        if self.as_json:
            self.write_json(result.to_json())
        if not result.is_done:
            raise CommandError(result.text, returncode=EXIT_DEGRADED)
        note_command(result.text, subject="pool")
        if not self.as_json:
            self.say(result.text)
            self.say(_numbers(result), "dim")

    def table(
        self, headings: Sequence[str], rows: Sequence[Sequence[str]], *, num_right: int = 0
    ) -> None:
        """Write a table whose first ``num_right`` columns stand on the right."""
        if self.is_terminal and self.console.width >= TABLE_WIDTH:
            table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
            for number, heading in enumerate(headings):
                justify = "right" if number < num_right else "left"
                table.add_column(heading, justify=justify, no_wrap=True)  # type: ignore[arg-type]
            for row in rows:
                table.add_row(*map(Text, row))
            self.console.print(table)
            return
        lines = [headings, *rows]
        widths = [max(len(line[at]) for line in lines) for at in range(len(headings))]
        self.write("\n".join(_plain_line(line, widths, num_right) for line in lines))

    @contextmanager
    def waiting(self, text: str) -> Iterator[None]:
        """Show on a terminal what is waited for."""
        if self.is_terminal and not self.as_json:
            with self.console.status(text):
                yield
        else:
            yield


def _plain_line(cells: Sequence[str], widths: Sequence[int], num_right: int) -> str:
    placed: list[Any] = [
        cell.rjust(width) if number < num_right else cell.ljust(width)
        for number, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return "  ".join(placed).rstrip()


def _numbers(result: ControlResult) -> str:
    size = f"{result.num_instances} of {result.max_instances}"
    if result.num_instances == result.max_instances:
        size = str(result.max_instances)
    plural = "" if result.max_instances == 1 else "s"
    return f"{result.num_running} running, {result.num_waiting} waiting, {size} instance{plural}."
