"""What a small server gets: units with limits that leave room, and sites of the proxies."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.project_files import ROOT

SMALL = ROOT / "deploy/small"
UNITS = ("corral.service", "corral-backup.service", "corral-prune.service")


def installed(tmp_path: Path, *options: str, mib: int = 1976) -> Path:
    """Return the root of a scratch installation."""
    project = tmp_path / "project"
    if not project.exists():
        for name in ("deploy/small", "deploy/systemd"):
            shutil.copytree(ROOT / name, project / name)
    command = ["sh", str(project / "deploy/small/install.sh"), "--host", "chat.example.com"]
    command += ["--root", str(tmp_path / "root"), "--memory", str(mib), *options]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return tmp_path / "root"


def values(path: Path) -> dict[str, str]:
    """Return the last value of every key of a unit."""
    lines = [line for line in path.read_text().splitlines() if "=" in line and line[0] != "#"]
    return dict(line.split("=", 1) for line in lines)


@pytest.mark.parametrize("mib", [768, 976, 1976, 3900, 64000])
def test_the_system_keeps_its_part(tmp_path: Path, mib: int) -> None:
    root = installed(tmp_path, mib=mib)
    unit = values(root / "etc/systemd/system/corral.service.d/small.conf")
    high, most = (int(unit[name].removesuffix("M")) for name in ("MemoryHigh", "MemoryMax"))
    assert 200 <= mib - most <= 1024
    # The pool goes by the smaller one, so its levels come before the kernel does anything.
    assert high < most <= 1.05 * high + 200


def test_a_rented_2_gb_machine_leaves_what_was_measured(tmp_path: Path) -> None:
    unit = values(installed(tmp_path) / "etc/systemd/system/corral.service.d/small.conf")
    assert abs(int(unit["MemoryHigh"].removesuffix("M")) / 1024 - 1.65) < 0.02


def test_the_units_are_those_of_the_project_in_another_place(tmp_path: Path) -> None:
    units = installed(tmp_path, "--to", "/srv/chat") / "etc/systemd/system"
    for name in UNITS:
        original = (ROOT / "deploy/systemd" / name).read_text()
        assert (units / name).read_text() == original.replace("/opt/corral", "/srv/chat")
    for path in units.rglob("*.conf"):
        assert "/opt/corral" not in path.read_text() and "@" not in path.read_text()
    limits = values(units / "corral.service.d/small.conf")
    assert limits["ReadOnlyPaths"] == "/srv/chat" and limits["ReadWritePaths"] == "/srv/chat/var"
    assert limits["LimitCORE"] == "0"


def test_jobs_go_before_the_site_when_memory_runs_out(tmp_path: Path) -> None:
    units = installed(tmp_path) / "etc/systemd/system"
    assert values(units / "corral.service")["OOMScoreAdjust"] == "0"
    for name in UNITS[1:]:
        assert int(values(units / f"{name}.d/small.conf")["OOMScoreAdjust"]) > 500


@pytest.mark.parametrize("name", UNITS)
def test_systemd_understands_them(tmp_path: Path, name: str) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    units = installed(tmp_path) / "etc/systemd/system"
    for path in units.glob("*.service"):
        # Verifying wants the programs to exist.
        path.write_text(path.read_text().replace("/opt/corral/.venv/bin/python", "/bin/true"))
    environment = {**os.environ, "SYSTEMD_UNIT_PATH": f"{units}:"}
    done = subprocess.run(
        ["systemd-analyze", "verify", units / name],
        env=environment,
        capture_output=True,
        text=True,
        timeout=50,
    )
    complaints = [line for line in done.stderr.splitlines() if "corral" in line or "small" in line]
    assert (done.returncode, complaints) == (0, [])


MOST_EXPOSED = 18
"""Tenths, of a hundred; what the site needs (its socket, /proc, shared libraries) is about half."""


@pytest.mark.parametrize("name", UNITS)
def test_systemd_counts_little_that_they_may_do(tmp_path: Path, name: str) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    unit = installed(tmp_path) / "etc/systemd/system" / name
    command = ["systemd-analyze", "security", "--offline=true", f"--threshold={MOST_EXPOSED}"]
    done = subprocess.run([*command, unit], capture_output=True, text=True, timeout=50)
    if "unrecognized option" in done.stderr:
        pytest.skip("this systemd-analyze reads no units from files")
    assert done.returncode == 0, done.stdout[-200:] + done.stderr


def test_nginx_understands_its_site(tmp_path: Path) -> None:
    if not shutil.which("nginx"):
        pytest.skip("nginx is not installed")
    root = installed(tmp_path, "--proxy", "nginx")
    config = tmp_path / "nginx.conf"
    config.write_text(
        f"pid {tmp_path}/pid;\nerror_log {tmp_path}/error.log;\nevents {{}}\nhttp {{\n"
        f"access_log off;\ninclude {root}/etc/nginx/sites-enabled/*;\n}}\n"
    )
    command = ["nginx", "-t", "-c", str(config), "-p", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    site = (root / "etc/nginx/sites-enabled/corral").read_text()
    assert "server_name chat.example.com;" in site and "chat.example.org" not in site


def test_streams_pass_and_visitors_words_about_themselves_do_not() -> None:
    nginx, caddy = ((SMALL / name).read_text() for name in ("nginx.conf", "corral.caddy"))
    for line in (
        "proxy_buffering off;",
        "proxy_http_version 1.1;",
        "proxy_set_header Upgrade $http_upgrade;",
        "proxy_set_header X-Forwarded-For $remote_addr;",
        "proxy_set_header X-Forwarded-Proto $scheme;",
        "proxy_set_header X-Request-ID $request_id;",
        "client_max_body_size 64k;",
    ):
        assert line in nginx
    assert "proxy_add_x_forwarded_for" not in nginx
    for line in (
        "flush_interval -1",
        "max_size 64KB",
        "header_up X-Request-ID",
        "read_timeout 75s",
    ):
        assert line in caddy
    # A single proxy stands in front, so what it adds by itself must not be widened.
    assert "trusted_proxies" not in caddy
    assert caddy.count("{") == caddy.count("}")
    socket = re.search(r"-u (\S+)", (ROOT / "deploy/systemd/corral.service").read_text())
    assert socket is not None
    assert f"proxy_pass http://unix:{socket[1]};" in nginx
    assert f"reverse_proxy unix/{socket[1]} {{" in caddy


@pytest.mark.parametrize("path", sorted(SMALL.glob("*.sh")), ids=lambda path: path.name)
def test_the_scripts_are_plain_sh(path: Path) -> None:
    shell = shutil.which("dash") or "/bin/sh"
    done = subprocess.run([shell, "-n", path], capture_output=True, text=True, timeout=20)
    assert (done.returncode, done.stderr) == (0, "")
    assert not re.search(r"\[\[|\blocal\b|\bfunction\b|pipefail", path.read_text())
