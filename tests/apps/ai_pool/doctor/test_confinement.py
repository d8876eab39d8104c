"""What the running pool process has given up."""

from __future__ import annotations

from dataclasses import replace

from ai_model.pool.status import PoolStatus
from apps.ai_pool.doctor.confinement import check_sandbox
from apps.ai_pool.doctor.finding import Finding, Level
from tests.apps.ai_pool.conftest import READY
from tests.apps.ai_pool.doctor.findings import is_well, only

CONFINED = replace(READY, sandbox="network, writing files")


def look(status: PoolStatus, mode: str = "auto", pool_mode: str = "process") -> list[Finding]:
    return check_sandbox(status, mode=mode, pool_mode=pool_mode)


def test_all_of_it() -> None:
    assert is_well(look(CONFINED))
    assert "network, writing files" in look(CONFINED)[0].sentence


def test_a_part_is_missing() -> None:
    finding = only(
        look(replace(CONFINED, sandbox_gaps="writing files: Function not implemented (Linux)")),
        "sandbox-gaps",
        Level.NOTE,
    )
    assert "Function not implemented" in finding.sentence and "5.13" in finding.fix


def test_nothing_is_given_up() -> None:
    only(look(CONFINED, mode="off"), "sandbox-off", Level.NOTE)
    only(look(READY), "sandbox-off", Level.NOTE)
    only(look(READY, pool_mode="thread"), "sandbox-none", Level.NOTE)


def test_a_pool_that_does_not_answer_is_said_elsewhere() -> None:
    assert look(PoolStatus.down("away")) == []
