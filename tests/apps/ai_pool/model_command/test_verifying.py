"""``model verify --ask``: a sound file that does not answer is not good."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from ai_model.store import ModelStore
from ai_model.trial import QUESTION, Trial, TrialFailed
from apps.ai_pool.model_command import verifying


def verify(*arguments: str) -> str:
    out = io.StringIO()
    try:
        call_command("model", "verify", "--ask", *arguments, stdout=out)
    except CommandError as error:
        assert str(error) == "Not every model file is good."
        out.write("(failed)")
    return out.getvalue()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    asked: list[Path] = []

    def ask(path: Path, *, num_threads: int) -> Trial:
        asked.append(path)
        return Trial("I can help.", 1.24)

    monkeypatch.setattr(verifying, "ask", ask)
    return asked


def test_the_answer_is_shown(store: ModelStore, asked: list[Path]) -> None:
    text = verify()
    assert text.startswith("good  ") and "I can help." in text and QUESTION in text
    (result,) = json.loads(verify("--json"))
    assert (result["answer"], result["seconds"], result["is_good"]) == ("I can help.", 1.2, True)
    assert asked == [store.demo_path] * 2


def test_one_that_cannot_answer_is_bad(store: ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path, *, num_threads: int) -> Trial:
        raise TrialFailed("It brought llama.cpp down.")

    monkeypatch.setattr(verifying, "ask", fail)
    text = verify()
    assert text.startswith("bad   It brought llama.cpp down.") and text.endswith("(failed)")


def test_a_broken_file_is_not_even_loaded(store: ModelStore, asked: list[Path]) -> None:
    store.demo_path.write_bytes(b"GGUF" + b"\0" * 100)
    assert verify("demo").endswith("(failed)") and asked == []
