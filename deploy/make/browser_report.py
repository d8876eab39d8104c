"""Fails when a test report has no browser test that ran, or one that was skipped."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from pathlib import Path


def complaint(report: Path) -> str:
    """Return what is wrong with the browser tests in this JUnit report; empty when nothing is."""
    cases = [
        case
        for case in ET.parse(report).iter("testcase")
        if case.get("classname", "").startswith("tests.browser")
    ]
    skipped = [case.get("name", "") for case in cases if case.find("skipped") is not None]
    if skipped:
        return f"browser tests were skipped: {', '.join(skipped)}"
    return "" if cases else "no browser test ran"


if __name__ == "__main__":
    sys.exit(complaint(Path(sys.argv[1])) or 0)
