"""The systemd units: systemd understands them, and what safety rests on is in them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from django.core.management import get_commands

from ai_model.pool.service import STOP_TIMEOUT_S
from ai_model.pool.supervisor import DYING_S
from apps.ai_pool.management.commands.runpool import EXIT_CANNOT_START
from tests.project_files import ROOT

UNITS = ROOT / "deploy/systemd"
HARDENING = (
    *("Protect", "Private", "NoNew", "Lock", "Capability", "SystemCall", "Restrict", "UMask"),
    "ReadWritePaths",
)
SINGLE, TEMPLATE, POOL = "corral.service", "corral@.service", "corral-pool.service"
JOBS = {"corral-backup": "backup", "corral-prune": "chat_prune"}
"""What a timer starts: the name of its units, and the command."""
TIMED = [f"{name}.{kind}" for name in JOBS for kind in ("service", "timer")]


def values(key: str, unit: str = SINGLE) -> list[str]:
    """Return the values of a key; a line that ends in a backslash goes on."""
    text = (UNITS / unit).read_text().replace("\\\n", " ")
    return [line.partition("=")[2] for line in text.splitlines() if line.startswith(f"{key}=")]


def lines(unit: str) -> set[str]:
    """Return the lines of a unit that mean something."""
    text = (UNITS / unit).read_text()
    return {line for line in text.splitlines() if line and not line.startswith("#")}


def test_every_unit_is_tested() -> None:
    assert {path.name for path in UNITS.iterdir()} == {SINGLE, TEMPLATE, POOL, *TIMED}


@pytest.mark.parametrize("name", [SINGLE, TEMPLATE, POOL, *TIMED])
def test_systemd_understands_it(tmp_path: Path, name: str) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    # Verifying wants the programs to exist, and an instance of a template.
    for path in UNITS.iterdir():
        text = path.read_text().replace("/opt/corral/.venv/bin/python", "/bin/true")
        (tmp_path / path.name).write_text(text.replace("%i", "1"))
    unit = tmp_path / name.replace("@.", "@1.")
    (tmp_path / name).rename(unit)
    result = subprocess.run(
        ["systemd-analyze", "verify", unit], capture_output=True, text=True, timeout=50
    )
    complaints = [line for line in result.stderr.splitlines() if "corral" in line]
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


def test_one_of_several_is_the_single_one_but_for_its_place() -> None:
    added = lines(TEMPLATE) - lines(SINGLE)
    assert {line.split("=")[0].strip() for line in added} == {
        "Description",
        "After",
        "Wants",
        "ExecStartPre",
        "-u /run/corral-%i/daphne.sock \\",
        "RuntimeDirectory",
    }
    assert values("Wants", TEMPLATE) == ["corral-pool.service"]
    assert any(
        "flock" in command and "migrate" in command for command in values("ExecStartPre", TEMPLATE)
    )


def test_the_pool_unit_serves_what_the_web_processes_are_told() -> None:
    (command,) = values("ExecStart", POOL)
    path = command.split("--socket ")[1]
    assert f"CORRAL_POOL_URL=unix://{path}" in (ROOT / "docs/install.md").read_text()
    assert path.startswith(f"/run/{values('RuntimeDirectory', POOL)[0]}/")
    assert "corral.service" in values("WantedBy", POOL)[0]


def test_the_pool_unit_waits_for_its_end_and_knows_its_exit_codes() -> None:
    assert int(values("TimeoutStopSec", POOL)[0]) > STOP_TIMEOUT_S + DYING_S
    assert values("RestartPreventExitStatus", POOL) == [str(EXIT_CANNOT_START)]


def test_the_pool_unit_is_hardened_like_the_web_unit() -> None:
    kept = {"Environment", "ReadWritePaths", "User", "Group", "UMask", "KillMode", "OOMPolicy"}
    hardening = {
        line
        for line in lines(SINGLE)
        if line.startswith(("Protect", "Private", "No", "Lock", "Capa", "System", "RestrictN"))
        or line.split("=")[0] in kept
    }
    assert len(hardening) > 15
    assert hardening - lines(POOL) == set()
    assert values("RestrictAddressFamilies", POOL) == ["AF_UNIX"]
    assert values("PrivateNetwork", POOL) == ["yes"]
    assert values("RuntimeDirectoryMode", POOL) == ["0700"]


@pytest.mark.parametrize(("name", "command"), JOBS.items())
def test_a_job_runs_its_command_once_as_the_site(name: str, command: str) -> None:
    unit = f"{name}.service"
    (started,) = values("ExecStart", unit)
    assert started.endswith(f"/python manage.py {command}")
    assert command in get_commands(), "there is such a command"
    assert values("Type", unit) == ["oneshot"] and not values("WantedBy", unit)
    assert int(values("TimeoutStartSec", unit)[0].removesuffix("min")) > 0
    for key in ("User", "Group", "WorkingDirectory", "Environment"):
        assert values(key, unit) == values(key)


@pytest.mark.parametrize("name", JOBS)
def test_a_job_is_hardened_like_the_web_unit(name: str) -> None:
    hardening = {line for line in lines(SINGLE) if line.startswith(HARDENING)}
    assert len(hardening) > 15
    assert hardening - lines(f"{name}.service") == set()


@pytest.mark.parametrize("name", JOBS)
def test_a_job_comes_every_night_and_is_made_up_for(name: str) -> None:
    timer = f"{name}.timer"
    (when,) = values("OnCalendar", timer)
    assert re.fullmatch(r"\*-\*-\* 0\d:00:00", when)
    assert values("Persistent", timer) == ["true"]
    assert values("WantedBy", timer) == ["timers.target"]
    operations = (ROOT / "docs/operations.md").read_text()
    assert timer in operations and f"deploy/systemd/{name}." in operations


def test_the_backup_comes_before_chats_are_deleted() -> None:
    at = {name: values("OnCalendar", f"{name}.timer")[0] for name in JOBS}
    assert at["corral-backup"] < at["corral-prune"]


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
