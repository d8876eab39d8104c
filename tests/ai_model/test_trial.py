"""One question to a model file, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ai_model import trial
from ai_model.trial import TrialFailed, ask
from tests.live import DEMO_MODEL


@pytest.mark.skipif(not DEMO_MODEL.is_file(), reason="the demo model is not there")
def test_a_real_model_answers() -> None:
    answer = ask(DEMO_MODEL, num_threads=1)
    assert answer.text and answer.text.isprintable() and 0 < answer.seconds < 60


def test_a_file_that_cannot_be_loaded_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "bad.gguf"
    path.write_bytes(b"GGUF\0\0\0")
    with pytest.raises(TrialFailed, match=r"bad\.gguf could not be asked: ") as caught:
        ask(path, num_threads=1)
    assert "Traceback" not in str(caught.value)


@pytest.fixture
def child(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Runs a program in place of the child."""
    run = subprocess.run

    def replace(program: str) -> None:
        monkeypatch.setattr(
            trial.subprocess,
            "run",
            lambda command, **options: run([sys.executable, "-c", program], **options),
        )

    return replace


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("import os; os.abort()", r"brought llama\.cpp down \(signal 6\)"),
        ('print(\'{"text": " \\\\n", "seconds": 1}\')', "loaded, and answered nothing"),
        ("print('nonsense')", "could not be asked: no reason was given"),
        ("print('[]')", "could not be asked"),
        ("import time; time.sleep(60)", "no answer within 1 s"),
    ],
)
def test_what_goes_wrong(child: Callable[[str], None], program: str, words: str) -> None:
    child(program)
    with pytest.raises(TrialFailed, match=words):
        ask(Path("some.gguf"), num_threads=1, timeout_s=1.0 if "sleep" in program else 20.0)


def test_nothing_in_an_answer_steers_the_terminal(child: Callable[[str], None]) -> None:
    child("import json; print(json.dumps({'text': 'a\\x1b[2J\\nb' + 'c' * 999, 'seconds': 1}))")
    answer = ask(Path("some.gguf"), num_threads=1)
    assert answer.text.startswith("a [2J bccc") and len(answer.text) == trial.MAX_SHOWN_CHARS
