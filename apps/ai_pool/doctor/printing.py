"""How findings are shown: in colour on a terminal, as lines that grep can use elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from apps.ai_pool.doctor.finding import Finding, Level

EXIT_CODES = {Level.ERROR: 2, Level.WARNING: 1}
MARKS = {
    Level.GOOD: ("✓", "green"),
    Level.NOTE: ("i", "cyan"),
    Level.WARNING: ("!", "bold yellow"),
    Level.ERROR: ("✗", "bold red"),
}
MAX_WIDTH = 96
"""Long lines are hard to read on a wide terminal."""


def exit_code(findings: Sequence[Finding]) -> int:
    """Return the exit code of the worst finding."""
    return max((EXIT_CODES.get(finding.level, 0) for finding in findings), default=0)


def show_group(console: Console, stdout: Any, title: str, findings: Sequence[Finding]) -> None:
    """Show findings below a title."""
    if not console.is_terminal:
        stdout.write("\n".join([title, *map(_plain, findings)]))
        return
    console.print(Text(f"\n{title}", style="bold"))
    width = min(console.width, MAX_WIDTH)
    for finding in findings:
        mark, style = MARKS[finding.level]
        dim = "" if EXIT_CODES.get(finding.level) else "dim"
        line = Text.assemble((mark, style), "  ", (finding.sentence, dim))
        console.print(_hanging(line, 4), width=width)
        if finding.fix:
            fix = Text.assemble(("→  ", "cyan"), finding.fix)
            console.print(Padding(_hanging(fix, 0), (0, 0, 0, 5)), width=width)


def _plain(finding: Finding) -> str:
    """A finding as lines that grep can use."""
    line = f"  {finding.level:<8} {finding.id}: {finding.sentence}"
    return f"{line}\n           -> {finding.fix}" if finding.fix else line


def _hanging(text: Text, left: int) -> Padding:
    """A text whose further lines begin below its first word."""
    table = Table.grid(padding=0)
    table.add_column(width=3, no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row(text[:3], text[3:])
    return Padding(table, (0, 0, 0, left - 2 if left else 0))
