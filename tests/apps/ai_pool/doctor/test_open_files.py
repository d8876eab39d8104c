"""The limit of open files."""

from __future__ import annotations

import resource

from apps.ai_pool.doctor.finding import Level
from apps.ai_pool.doctor.open_files import check_open_files
from tests.apps.ai_pool.doctor.findings import is_well, only


def test_few() -> None:
    finding = only(check_open_files(256), "open-files-few", Level.WARNING)
    assert "256 files" in finding.sentence and "156 open chats" in finding.sentence
    assert "LimitNOFILE=65536" in finding.fix and "ulimit -n 65536" in finding.fix


def test_enough() -> None:
    assert is_well(check_open_files(1024))
    assert is_well(check_open_files(resource.RLIM_INFINITY))


def test_own_limit_is_read() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, hard))
    try:
        only(check_open_files(), "open-files-few", Level.WARNING)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
