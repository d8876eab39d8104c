"""What tests of the doctor ask of its findings."""

from __future__ import annotations

from collections.abc import Sequence

from apps.ai_pool.doctor.finding import Finding, Level


def bad(findings: Sequence[Finding]) -> dict[str, Finding]:
    """Those that ask for something, by id."""
    return {one.id: one for one in findings if one.level is not Level.GOOD}


def only(findings: Sequence[Finding], id: str, level: Level) -> Finding:
    """The one finding that asks for something."""
    found = bad(findings)
    assert list(found) == [id], found
    assert found[id].level is level
    return found[id]


def is_well(findings: Sequence[Finding]) -> bool:
    """Whether something was looked at and all of it is good."""
    return bool(findings) and not bad(findings)
