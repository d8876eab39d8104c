"""``doctor``: plain lines, JSON, a terminal, and the exit code of the worst finding."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.ai_pool.doctor.examination import Group
from apps.ai_pool.doctor.finding import Finding, Level, good
from apps.ai_pool.management.commands import doctor

GOOD = good("disk", "Much room.")
NOTE = Finding("model-is-demo", Level.NOTE, "The demo answers.", "Fetch one.")
WARNING = Finding("disk-low", Level.WARNING, "Little [room].", "Make room: `du | sort`.")
ERROR = Finding("debug-on", Level.ERROR, "DEBUG is on.", "Set DEBUG=false.")


def run(
    monkeypatch: pytest.MonkeyPatch, findings: Sequence[Finding], *arguments: str, **options: Any
) -> tuple[int, str]:
    """Exit code and output of the command when it finds these."""
    monkeypatch.setattr(doctor, "examine", lambda site: iter([Group("Machine", list(findings))]))
    out, code = io.StringIO(), 0
    try:
        call_command("doctor", *arguments, stdout=out, **options)
    except SystemExit as end:
        code = int(end.code or 0)
    return code, out.getvalue()


@pytest.mark.parametrize(
    ("findings", "code"),
    [([GOOD], 0), ([GOOD, NOTE], 0), ([NOTE, WARNING], 1), ([ERROR, WARNING, GOOD], 2)],
)
def test_exit_codes(
    monkeypatch: pytest.MonkeyPatch, findings: Sequence[Finding], code: int
) -> None:
    assert run(monkeypatch, findings)[0] == code
    found, text = run(monkeypatch, findings, "--json")
    answer = json.loads(text)
    assert found == code == answer["exit_code"]
    assert [row["id"] for row in answer["findings"]] == [one.id for one in findings]
    assert set(answer["findings"][0]) == {"group", "id", "level", "sentence", "fix"}


def test_lines_in_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    _, text = run(monkeypatch, [GOOD, WARNING, ERROR])
    assert text.splitlines() == [
        "Machine",
        "  good     disk: Much room.",
        "  warning  disk-low: Little [room].",
        "           -> Make room: `du | sort`.",
        "  error    debug-on: DEBUG is on.",
        "           -> Set DEBUG=false.",
        "Not everything is well (1 error, 1 warning).",
        "With --url https://... the proxy in front is examined too.",
    ]


def test_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Marks and text, so that colour is never the only sign; nothing is lost to markup."""
    monkeypatch.setenv("COLUMNS", "60")
    _, text = run(monkeypatch, [GOOD, WARNING, ERROR], force_color=True)
    assert "✓" in text and "✗" in text and "→" in text and "\x1b[" in text
    assert "Little [room]." in text and "Set DEBUG=false." in text


@pytest.mark.parametrize("url", ["chat.example.org", "ftp://a.org", "https://", "https://a:b"])
def test_no_address(url: str) -> None:
    with pytest.raises(CommandError, match="--url must look like") as caught:
        call_command("doctor", "--url", url)
    assert caught.value.returncode == 2
