"""The systemd unit: systemd understands it, and what safety rests on is in it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.project_files import ROOT

UNIT = ROOT / "deploy/systemd/corral.service"


def values(key: str) -> list[str]:
    """Return the values of a key; a line that ends in a backslash goes on."""
    text = UNIT.read_text().replace("\\\n", " ")
    return [line.partition("=")[2] for line in text.splitlines() if line.startswith(f"{key}=")]


def test_systemd_understands_it(tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    # Verifying wants the programs to exist.
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/opt/corral/.venv/bin/python", "/bin/true"))
    result = subprocess.run(
        ["systemd-analyze", "verify", unit], capture_output=True, text=True, timeout=50
    )
    complaints = [line for line in result.stderr.splitlines() if UNIT.name in line]
    assert (result.returncode, complaints) == (0, [])


def test_checks_run_before_the_server() -> None:
    before = values("ExecStartPre")
    assert any("check --deploy --fail-level ERROR" in command for command in before)
    assert any("migrate" in command for command in before)
    assert "DJANGO_ENV=production" in values("Environment")[0]


def test_only_the_proxy_reaches_the_server() -> None:
    """Forwarded headers are believed, so nobody but the proxy may connect."""
    (command,) = values("ExecStart")
    assert "--proxy-headers" in command and "-u /run/corral/" in command
    assert " -p " not in command and " -b " not in command
    assert "--websocket-max-message-size 65536" in command


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("Type", "exec"),
        ("TimeoutStopSec", "15"),
        ("NoNewPrivileges", "yes"),
        ("ProtectSystem", "strict"),
        ("PrivateTmp", "yes"),
        ("ReadWritePaths", "/opt/corral/var"),
        ("CapabilityBoundingSet", ""),
        # The default would stop the site when the kernel takes the pool process.
        ("OOMPolicy", "continue"),
    ],
)
def test_hardening(key: str, value: str) -> None:
    assert values(key) == [value]
