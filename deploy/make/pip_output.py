"""Turns pip's long output into a few lines that a waiting person can follow."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from typing import TextIO


class Progress:
    """Tells what is going on: one living line on a terminal, a line now and then elsewhere."""

    def __init__(self, out: TextIO, every_s: float = 20.0) -> None:
        self.out = out
        self.is_terminal = out.isatty()
        self.every_s = 1.0 if self.is_terminal else every_s
        self.text = ""
        self.since = self.shown_at = time.monotonic()

    def say(self, text: str) -> None:
        """Begin a new step."""
        self._leave_line()
        self.text, self.since = text, time.monotonic()
        self._show("")

    def tick(self, detail: str = "") -> None:
        """Show how long the step has been going on, when it is time to."""
        if time.monotonic() - self.shown_at >= self.every_s:
            elapsed = int(time.monotonic() - self.since)
            self._show(f" {detail}{' ' if detail else ''}({elapsed // 60}:{elapsed % 60:02d})")

    def end(self) -> None:
        """Leave the living line as it stands."""
        self._leave_line()
        self.text = ""

    def _leave_line(self) -> None:
        if self.is_terminal and self.text:
            self.out.write("\n")

    def _show(self, rest: str) -> None:
        line = f"  {self.text}{rest}"
        self.out.write(f"\r\x1b[K{line[:110]}" if self.is_terminal else f"{line}\n")
        self.out.flush()
        self.shown_at = time.monotonic()


class PipOutput:
    """Turns what pip writes into steps a person can follow."""

    def __init__(self, progress: Progress, num_jobs: int) -> None:
        self.progress = progress
        self.num_jobs = num_jobs
        self.num_collected = 0
        self.detail = ""
        self.is_compiling = False

    def feed(self, line: str) -> None:
        """Take one line of pip's output."""
        text = line.strip()
        # What is indented belongs to the building of one package.
        is_outer = line[:1].strip() != ""
        if is_outer and text.startswith(("Collecting ", "Processing ")):
            self.num_collected += 1
            self.detail = f"{self.num_collected} so far"
        elif text.startswith("Building wheel for llama-cpp-python") and not self.is_compiling:
            self.is_compiling = True
            self.detail = ""
            at_once = f", {self.num_jobs} files at once" if self.num_jobs > 1 else ""
            self.progress.say(f"compiling llama.cpp; this takes some minutes{at_once}")
        elif is_outer and text.startswith("Installing collected packages:"):
            self.is_compiling = False
            self.detail = ""
            self.progress.say(f"installing {text.count(',') + 1} package(s)")
        elif self.is_compiling and (step := re.match(r"\[\s*(\d+)/(\d+)\]", text)):
            self.detail = f"{step[1]} of {step[2]} files"
        self.progress.tick(self.detail)


def explain(lines: Sequence[str]) -> str:
    """Return one sentence for a failed pip, found in its last lines."""
    text = "\n".join(lines)
    known = (
        ("No space left on device", "The disk is full: free about 1 GB and run this again."),
        (
            "Killed signal",
            "The compiler ran out of memory: run this again with CMAKE_BUILD_PARALLEL_LEVEL=1.",
        ),
        (
            "DO NOT MATCH THE HASHES",
            "A downloaded file is not the one that was pinned; it was not installed.",
        ),
        (
            "Could not find a version that satisfies",
            "The package index does not offer a package that is needed, or cannot be reached.",
        ),
        ("NewConnectionError", "The package index cannot be reached; is there a network?"),
        ("NameResolutionError", "The package index cannot be reached; is there a network?"),
        ("Failed building wheel", "llama.cpp could not be compiled."),
    )
    return next((sentence for sign, sentence in known if sign in text), "pip failed.")
