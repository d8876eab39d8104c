"""Shows the trace of memory: one line that changes on a terminal, lines in a pipe, or JSON."""

from __future__ import annotations

import json
from types import TracebackType
from typing import Any

from django.core.management.base import OutputWrapper
from rich.console import Console
from rich.live import Live
from rich.text import Text

from ai_model.memory.level import MemoryLevel
from ai_model.simulation.trace import Peaks, TraceLine

STYLES = {
    MemoryLevel.LOW: "green",
    MemoryLevel.MEDIUM: "yellow",
    MemoryLevel.HIGH: "dark_orange",
    MemoryLevel.CRITICAL: "bold red",
}
MAX_PENDING_BYTES = 1 << 16


class TraceScreen:
    """Where trace, remarks and the output of a command go. A context manager."""

    def __init__(self, stdout: OutputWrapper, console: Console, *, as_json: bool) -> None:
        self._stdout = stdout
        self._console = console
        self.as_json = as_json
        self.is_live = console.is_terminal and not as_json
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._pending = b""
        self._level: MemoryLevel | None = None

    def __enter__(self) -> TraceScreen:
        if self.is_live:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.is_live:
            self._flush_pending()
            self._live.stop()

    def say(self, sentence: str) -> None:
        """Show a remark; with --json those are part of the objects."""
        if self.as_json:
            return
        if self.is_live:
            self._console.print(Text(sentence))
        else:
            self._write(sentence)

    def line(self, line: TraceLine) -> None:
        """Show one second of the trace; a new level gets a line that stays."""
        if self.as_json:
            self.object(line.to_json())
        elif self.is_live:
            if line.level is not self._level and self._level is not None:
                remark = f"{line.at_s:6.0f} s  {line.level}: {line.reason}"
                self._console.print(Text(remark, style=STYLES[line.level]))
            self._live.update(Text(line.to_text(), style=STYLES[line.level]), refresh=True)
        else:
            self._write(line.to_text())
        self._level = line.level

    def output(self, chunk: bytes) -> None:
        """Show what a command wrote, above the line that changes, in whole lines."""
        *lines, self._pending = (self._pending + chunk).split(b"\n")
        if len(self._pending) > MAX_PENDING_BYTES:
            lines.append(self._pending)
            self._pending = b""
        for line in lines:
            self._print_output(line)

    def object(self, value: dict[str, Any]) -> None:
        """Show an object, with --json."""
        if self.as_json:
            self._write(json.dumps(value))

    def end(self, peaks: Peaks, **more: Any) -> None:
        """Show the worst that was seen."""
        self.object({"kind": "end", **more, **peaks.to_json()})
        self.say(peaks.to_text())

    def _flush_pending(self) -> None:
        if self._pending:
            self._print_output(self._pending)
        self._pending = b""

    def _print_output(self, line: bytes) -> None:
        self._console.print(Text.from_ansi(line.decode(errors="replace")))

    def _write(self, text: str) -> None:
        self._stdout.write(text)
        self._stdout.flush()
