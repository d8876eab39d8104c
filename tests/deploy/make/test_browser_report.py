"""Where a browser is demanded, a skipped browser test is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.make.browser_report import complaint

RAN = '<testcase classname="tests.browser.test_chat" name="test_send" />'
SKIPPED = '<testcase classname="tests.browser.test_chat" name="test_x"><skipped/></testcase>'
OTHER = '<testcase classname="tests.test_names" name="test_y"><skipped/></testcase>'


@pytest.mark.parametrize(
    ("cases", "expected"),
    [
        (RAN + OTHER, ""),
        (RAN + SKIPPED, "browser tests were skipped: test_x"),
        (OTHER, "no browser test ran"),
    ],
)
def test_complaint(tmp_path: Path, cases: str, expected: str) -> None:
    report = tmp_path / "report.xml"
    report.write_text(f"<testsuites><testsuite>{cases}</testsuite></testsuites>")
    assert complaint(report) == expected
