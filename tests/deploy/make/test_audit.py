"""What `make audit` says: open, reviewed, and that it could not look."""

from __future__ import annotations

import json
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from deploy.make import audit
from deploy.make.audit import EXIT_FOUND, EXIT_NOT_AUDITED, main, read_exceptions
from tests.project_files import ROOT

DISKCACHE = "CVE-2025-69872"
TODAY = date(2026, 12, 1)


def stand_in(tmp_path: Path, output: str, *, complaint: str = "", code: int = 0) -> list[str]:
    """A program in the place of pip-audit."""
    program = tmp_path / "pip_audit.py"
    program.write_text(
        f"import sys\nprint({output!r})\nprint({complaint!r}, file=sys.stderr)\nsys.exit({code})\n"
    )
    return [sys.executable, str(program)]


def packages(*entries: tuple[str, list[str]], **more: Any) -> str:
    found = [
        {
            "name": name,
            "version": "1.0",
            "vulns": [{"id": f"PYSEC-{id}", "aliases": [id], "fix_versions": []} for id in ids],
        }
        for name, ids in entries
    ]
    return json.dumps({"dependencies": [*found, *more.get("others", [])], "fixes": []})


def test_every_exception_has_a_reason_and_a_day() -> None:
    exceptions = read_exceptions()
    assert DISKCACHE in {one.id for one in exceptions}
    locked = "".join((ROOT / name).read_text() for name in audit.LOCKED)
    for one in exceptions:
        assert len(one.reason.split()) > 10 and isinstance(one.reviewed, date)
        assert f"\n{one.package}==" in locked, f"{one.package} is not pinned any more"


def test_reviewed_is_fine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By whichever of its names."""
    output = packages(("diskcache", [DISKCACHE]), ("django", []))
    assert main(stand_in(tmp_path, output, code=1), TODAY) == 0
    assert "nothing open" in capsys.readouterr().out


def test_open_is_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = packages(("diskcache", [DISKCACHE]), ("daphne", ["CVE-2026-44545"]))
    assert main(stand_in(tmp_path, output, code=1), TODAY) == EXIT_FOUND
    said = capsys.readouterr().out
    assert "VULNERABLE: daphne 1.0: CVE-2026-44545" in said and "no fixed release" in said
    assert "diskcache" not in said


@pytest.mark.parametrize(
    ("output", "complaint", "why"),
    [
        ("", "ConnectionError: no route", "no route"),
        ("{}", "", "it said nothing"),
        (packages(others=[{"name": "x", "skip_reason": "not found"}]), "", "knows nothing of x"),
    ],
)
def test_a_machine_that_cannot_ask_says_so(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    output: str,
    complaint: str,
    why: str,
) -> None:
    """It is no failure, and no success that looks like one; who needs it can insist."""
    command = stand_in(tmp_path, output, complaint=complaint)
    monkeypatch.delenv("CORRAL_REQUIRE_AUDIT", raising=False)
    assert main(command, TODAY) == 0
    said = capsys.readouterr().out
    assert said.startswith("NOT AUDITED") and why in said and "nothing open" not in said
    monkeypatch.setenv("CORRAL_REQUIRE_AUDIT", "1")
    assert main(command, TODAY) == EXIT_NOT_AUDITED


def test_exceptions_grow_old(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = stand_in(tmp_path, packages(("diskcache", [DISKCACHE])))
    assert main(command, date(2028, 1, 1)) == 0
    assert "To be looked at again" in capsys.readouterr().out
    assert main(stand_in(tmp_path, packages(("django", []))), TODAY) == 0
    assert "Not needed any more" in capsys.readouterr().out
