"""AMX is used only after a child process has tried it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from ai_model.engine import amx


@pytest.fixture(autouse=True)
def untried() -> Iterator[None]:
    """Forget the trial before and after."""
    amx.is_usable.cache_clear()
    yield
    amx.is_usable.cache_clear()


def pretend(monkeypatch: pytest.MonkeyPatch, *, built_in: bool, program: str) -> None:
    """Let the trial be ``program``."""
    run = subprocess.run

    def replaced(command: list[str], **options: Any) -> Any:
        return run([sys.executable, "-c", program], **options)

    monkeypatch.setattr(amx, "is_built_in", lambda: built_in)
    monkeypatch.setattr(subprocess, "run", replaced)


def test_a_sound_trial_allows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, built_in=True, program="")
    assert amx.is_usable()
    assert amx.is_safe_to_pack()


@pytest.mark.parametrize(
    "program",
    ["import os; os.kill(os.getpid(), 11)", "raise SystemExit(1)"],
    ids=["crash", "other numbers"],
)
def test_a_failed_trial_forbids_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, program: str
) -> None:
    pretend(monkeypatch, built_in=True, program=program)
    assert not amx.is_usable()
    assert not amx.is_safe_to_pack()
    assert "make install" in caplog.text


def test_a_trial_that_hangs_forbids_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(amx, "TRIAL_TIMEOUT_S", 0.2)
    pretend(monkeypatch, built_in=True, program="import time; time.sleep(60)")
    assert not amx.is_usable()


def test_nothing_is_tried_where_it_is_not_built_in(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, built_in=False, program="raise SystemExit(1)")
    assert not amx.is_usable()
    assert amx.is_safe_to_pack()


def test_the_trial_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, built_in=True, program="")
    assert amx.is_usable()
    pretend(monkeypatch, built_in=True, program="raise SystemExit(1)")
    assert amx.is_usable()


def test_the_real_trial_agrees_with_itself() -> None:
    """Whatever processor this is: the same kernels twice, or AMX against AVX-512."""
    if amx.is_built_in() and not amx.is_usable():
        pytest.skip("the installed llama.cpp was compiled without the flags AMX needs")
    assert amx.main() == 0


def test_distance_is_relative() -> None:
    assert amx.distance([3.0, 4.0], [3.0, 4.0]) == 0
    assert amx.distance([0.0, 0.0], [3.0, 4.0]) == pytest.approx(1)
