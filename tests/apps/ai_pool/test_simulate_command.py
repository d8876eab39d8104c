"""``manage.py simulate``: exit codes, the trace in a pipe and as JSON, and honest limits."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from ai_model.simulation.bare_cage import BareCage
from ai_model.simulation.machine import SmallMachine
from apps.ai_pool import conf
from apps.ai_pool.management.commands import simulate


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits that can be set everywhere; control groups have tests of their own."""

    def choose(machine: SmallMachine) -> tuple[BareCage, tuple[str, ...]]:
        return BareCage(machine), ("no control group can be made",)

    monkeypatch.setattr(simulate, "choose_cage", choose)


def run(*arguments: str) -> tuple[int, str]:
    out = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("simulate", *arguments, stdout=out)
    return int(str(ended.value.code)), out.getvalue()


def wrong(*arguments: str) -> CommandError:
    with pytest.raises(CommandError) as caught:
        call_command("simulate", *arguments, stdout=io.StringIO())
    return caught.value


def test_exit_code_and_trace_of_a_command() -> None:
    code, text = run("--memory", "4G", "--", "sh", "-c", "exit 7")
    assert code == 7
    lines = text.splitlines()
    assert lines[0].startswith("Limits: 1 processor (number ")
    assert "Not limited: Memory of all processes" in text
    assert "Because: no control group can be made." in text
    assert any(line.startswith("     0 s  ") and " needs " in line for line in lines)
    assert lines[-1].startswith("At most ") and lines[-1].endswith("nobody killed.")


def test_json_lines_and_the_output_of_the_command_elsewhere(
    capfd: pytest.CaptureFixture[str],
) -> None:
    code, text = run("--memory", "4G", "--json", "--", "echo", "hello")
    records = [json.loads(line) for line in text.splitlines()]
    assert code == 0
    assert [record["kind"] for record in records] == ["start", "sample", "end"]
    assert records[0]["command"] == ["echo", "hello"]
    assert records[0]["not_limited"] and records[0]["reasons"]
    assert records[1]["level"] in ("low", "medium", "high", "critical")
    assert records[-1]["exit_code"] == 0
    said = capfd.readouterr()
    assert "hello" in said.err and "hello" not in said.out


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (("--memory", "2X"), 2, "2X"),
        (("--swap", "much"), 2, "much"),
        (("--cpus", "0"), 2, "processors"),
        (("--memory", "1K"), 2, "4 MiB"),
        (("--memory", "4G", "--", "no-such-command"), 127, "no-such-command"),
    ],
)
def test_wrong_use(arguments: tuple[str, ...], code: int, word: str) -> None:
    error = wrong(*arguments)
    assert error.returncode == code and word in str(error)


def test_the_server_is_what_runs_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}

    class Recorded(simulate.Run):
        def __init__(self, command: list[str], cage: BareCage, **options: Any) -> None:
            seen["command"] = command
            super().__init__(["true"], cage, **options)

    monkeypatch.setattr(simulate, "Run", Recorded)
    assert run("--memory", "4G")[0] == 0
    program, manage, name = seen["command"]
    assert program == sys.executable and manage.endswith("/manage.py") and name == "serve"


def test_models_are_dropped_from_the_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    dropped: list[Path] = []
    monkeypatch.setattr(simulate, "forget", dropped.extend)
    run("--memory", "4G", "--", "true", str(tmp_path / "other.gguf"))
    assert dropped[0] == tmp_path / "other.gguf"
    assert dropped[1:] == [conf.chosen_model().path]
