"""The install script for a small server, run in a scratch root."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.project_files import ROOT

HOST = "chat.example.com"
MIB = 1976
"""What a rented "2 GB" machine tells."""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project small enough to be copied often."""
    there = tmp_path / "project"
    for name in ("deploy/small", "deploy/systemd", "deploy/make"):
        shutil.copytree(ROOT / name, there / name, ignore=shutil.ignore_patterns("__pycache__"))
    (there / "apps/ai_chat").mkdir(parents=True)
    (there / "apps/ai_chat/views.py").write_text("# new\n")
    (there / "apps/ai_chat/old.py").write_text("# old\n")
    (there / "ai_model/weights").mkdir(parents=True)
    (there / "ai_model/weights/demo.gguf").write_text("demo")
    (there / "ai_model/weights/large.gguf").write_text("a model of the machine it was made on")
    (there / "var").mkdir()
    (there / "var/db.sqlite3").write_text("chats of the machine it was made on")
    (there / ".env").write_text("SECRET_KEY=of the machine it was made on\n")
    (there / "requirements.txt").write_text("")
    return there


def install(
    project: Path, *options: str, path: str = "", code: int = 0
) -> subprocess.CompletedProcess[str]:
    """Run the script with a scratch root beside the project."""
    command = ["sh", str(project / "deploy/small/install.sh"), "--host", HOST]
    command += ["--root", str(project.parent / "root"), "--memory", str(MIB), *options]
    done = subprocess.run(
        command,
        env={**os.environ, "PATH": path or os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == code, done.stderr + done.stdout
    return done


def tree(root: Path) -> dict[str, tuple[int, bytes]]:
    """Return every file with its mode and content."""
    return {
        str(path.relative_to(root)): (path.stat().st_mode, path.read_bytes())
        for path in root.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def root(project: Path) -> Path:
    return project.parent / "root"


def test_the_second_time_changes_nothing(project: Path, root: Path) -> None:
    first = install(project)
    before = tree(root)
    second = install(project)
    assert tree(root) == before
    assert "wrote" in first.stdout and "wrote" not in second.stdout
    assert not [name for name in before if name.endswith(".part")]


def test_it_brings_the_project_but_nothing_that_belongs_to_one_machine(
    project: Path, root: Path
) -> None:
    install(project)
    there = root / "opt/corral"
    assert (there / "apps/ai_chat/views.py").read_text() == "# new\n"
    assert (there / "ai_model/weights/demo.gguf").exists()
    assert not (there / "ai_model/weights/large.gguf").exists()
    assert list((there / "var").iterdir()) == []
    assert "the machine it was made on" not in (there / ".env").read_text()


def test_what_is_the_owners_stays(project: Path, root: Path) -> None:
    install(project, "--proxy", "nginx")
    there = root / "opt/corral"
    (there / ".env").write_text("DJANGO_ENV=production\nMINE=1\n")
    (there / "var/db.sqlite3").write_text("chats")
    (there / "ai_model/weights/mine.gguf").write_text("model")
    site = root / "etc/nginx/sites-available/corral"
    site.write_text("# certbot was here\n")
    done = install(project, "--proxy", "nginx")
    assert (there / ".env").read_text() == "DJANGO_ENV=production\nMINE=1\n"
    assert "it does not say SECRET_KEY" in done.stdout
    assert (there / "var/db.sqlite3").read_text() == "chats"
    assert (there / "ai_model/weights/mine.gguf").read_text() == "model"
    assert site.read_text() == "# certbot was here\n"
    assert HOST in (site.parent / "corral.corral").read_text()


def test_a_newer_version_takes_the_place_of_the_older_one(project: Path, root: Path) -> None:
    install(project)
    (project / "apps/ai_chat/views.py").write_text("# newer\n")
    (project / "apps/ai_chat/old.py").unlink()
    install(project)
    there = root / "opt/corral/apps/ai_chat"
    assert (there / "views.py").read_text() == "# newer\n"
    assert not (there / "old.py").exists()


def test_it_goes_on_after_an_interruption(project: Path, root: Path, tmp_path: Path) -> None:
    broken = tmp_path / "bin"
    broken.mkdir()
    (broken / "tar").write_text("#!/bin/sh\nkill -9 $PPID\n")
    (broken / "tar").chmod(0o755)
    install(project, path=f"{broken}:{os.environ['PATH']}", code=-9)
    assert not (root / "opt/corral/.env").exists()
    install(project)
    whole = tree(root)
    assert "opt/corral/apps/ai_chat/views.py" in whole and "opt/corral/.env" in whole
    install(project)
    assert tree(root) == whole


def test_a_dry_run_changes_nothing_and_says_everything(project: Path, root: Path) -> None:
    done = install(project, "--dry-run", "--proxy", "nginx")
    assert not root.exists()
    for step in ("useradd --system", ".env", "small.conf", "systemctl restart corral", "nginx -t"):
        assert re.search(f"would: .*{re.escape(step)}", done.stdout), step


def test_a_scratch_root_leaves_the_system_alone(project: Path, root: Path, tmp_path: Path) -> None:
    fakes = tmp_path / "bin"
    fakes.mkdir()
    for name in ("systemctl", "useradd", "usermod", "apt-get", "chown", "nginx", "caddy"):
        (fakes / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/called-{name}\n")
        (fakes / name).chmod(0o755)
    install(project, path=f"{fakes}:{os.environ['PATH']}")
    assert not list(tmp_path.glob("called-*"))


def test_the_key_is_its_own_and_nobody_sees_it(project: Path, root: Path) -> None:
    done = install(project)
    env = root / "opt/corral/.env"
    values = dict(line.split("=", 1) for line in env.read_text().splitlines() if "=" in line)
    assert values["CORRAL_PROFILE"] == "small" and values["ALLOWED_HOSTS"] == HOST
    assert values["DJANGO_ENV"] == "production" and values["NUM_PROXIES"] == "1"
    assert re.fullmatch("[0-9a-f]{80}", values["SECRET_KEY"])
    assert values["SECRET_KEY"] not in done.stdout + done.stderr
    assert env.stat().st_mode & 0o777 == 0o600
    env.unlink()
    install(project)
    assert values["SECRET_KEY"] not in env.read_text()


def test_a_model_comes_along_read_only(project: Path, root: Path) -> None:
    model = project / "ai_model/weights/large.gguf"
    done = install(project, "--model", str(model))
    there = root / "opt/corral/ai_model/weights/large.gguf"
    assert there.read_text() == model.read_text()
    assert there.stat().st_mode & 0o777 == 0o444
    assert "only the demo model" not in done.stdout


@pytest.mark.parametrize(
    "options",
    [
        ("--host", "a b"),
        ("--host", "x;reboot"),
        ("--host", "-x"),
        ("--proxy", "apache"),
        ("--to", "opt/corral"),
        ("--to", "/opt/../etc"),
        ("--to", "/opt/a|b"),
        ("--to", "/home/me/corral"),
        ("--memory", "2G"),
        ("--memory", "500"),
        ("--model", "/nowhere.gguf"),
        ("--frobnicate",),
        ("--to",),
    ],
)
def test_wrong_use_is_one_sentence(project: Path, root: Path, options: tuple[str, ...]) -> None:
    done = install(project, *options, code=2)
    assert len(done.stderr.splitlines()) == 1 and done.stderr.startswith("install.sh: ")
    assert not (root / "etc").exists()


def test_two_at_once_do_not_mix(project: Path, root: Path) -> None:
    lock = root / "opt/corral/.installed/lock"
    lock.parent.mkdir(parents=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert "another installation" in install(project, code=2).stderr


def test_caddys_file_is_imported_once(project: Path, root: Path) -> None:
    caddyfile = root / "etc/caddy/Caddyfile"
    caddyfile.parent.mkdir(parents=True)
    caddyfile.write_text("example.net {\n\trespond ok\n}\n")
    install(project)
    install(project)
    text = caddyfile.read_text()
    assert text.startswith("example.net {") and text.count("import /etc/caddy/corral.caddy") == 1
    assert f"{HOST} {{" in (caddyfile.parent / "corral.caddy").read_text()
