"""Asks a model file one question, in a process of its own: a sound file may still answer nothing,
and one that brings llama.cpp down must not bring down who asks.

``python -m ai_model.trial --model PATH --threads 2`` prints one JSON object: ``text`` and
``seconds``, loading included. It takes the memory of the model.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

QUESTION = "Hello! What can you do for me?"
TIMEOUT_S = 300.0
MAX_SHOWN_CHARS = 300


class TrialFailed(Exception):
    """The model gave no answer. The text is one sentence."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of it."""

    text: str
    """The beginning of the answer, on one line, without what does not show."""
    seconds: float
    """From the start of the process to the whole answer."""


def ask(path: Path, *, num_threads: int, timeout_s: float = TIMEOUT_S) -> Trial:
    """Load the file in a child process and ask it. Raises TrialFailed."""
    command = [
        *(sys.executable, "-m", "ai_model.trial"),
        *("--model", str(path.absolute()), "--threads", str(num_threads)),
    ]
    root = Path(__file__).resolve().parent.parent
    try:
        done = subprocess.run(
            command,
            cwd=root,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        raise TrialFailed(f"{path.name} gave no answer within {timeout_s:.0f} s.") from None
    try:
        found = json.loads(done.stdout)
        text, seconds = _shown(str(found["text"])), float(found["seconds"])
    except (ValueError, KeyError, TypeError):
        raise TrialFailed(_reason(path, done)) from None
    if not text:
        raise TrialFailed(f"{path.name} was loaded, and answered nothing.")
    return Trial(text, seconds)


def _reason(path: Path, done: subprocess.CompletedProcess[str]) -> str:
    if done.returncode < 0:
        return f"{path.name} brought llama.cpp down (signal {-done.returncode})."
    last = (done.stderr.strip().splitlines() or ["no reason was given"])[-1]
    return f"{path.name} could not be asked: {_shown(last)}"


def _shown(text: str) -> str:
    visible = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(visible.split())[:MAX_SHOWN_CHARS]


def main() -> None:
    """Load, ask, print; a model that cannot be used is one sentence and exit code 1."""
    # Brings in llama.cpp, which whoever only calls ``ask`` does not need.
    from ai_model.demo.ask import DemoModel

    parser = argparse.ArgumentParser(description="One question to a model file.")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    began_at = time.monotonic()
    try:
        with DemoModel(arguments.model, num_threads=arguments.threads) as model:
            text = model.ask([{"role": "user", "content": QUESTION}])
    except (OSError, ValueError, RuntimeError) as error:
        sys.exit(str(error))
    print(json.dumps({"text": text, "seconds": time.monotonic() - began_at}))


if __name__ == "__main__":
    main()
