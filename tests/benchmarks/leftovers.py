"""What a benchmark must not leave behind."""

from __future__ import annotations

import psutil


def assert_nothing_is_left() -> None:
    """No process of the benchmark lives on."""
    left = [child.cmdline() for child in psutil.Process().children(recursive=True)]
    # Python keeps one helper of its own for processes that were spawned.
    assert not [command for command in left if "resource_tracker" not in " ".join(command)]
