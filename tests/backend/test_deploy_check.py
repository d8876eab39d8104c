"""The settings that docs/install.md tells people to write pass Django's checks for public sites."""

from __future__ import annotations

import re
import secrets
from pathlib import Path

import pytest

from tests.live import live_env, run_manage
from tests.project_files import ROOT


def settings_of_the_docs() -> dict[str, str]:
    """The block of settings of "On a server", with a key in it as they say."""
    text = (ROOT / "docs" / "install.md").read_text()
    blocks = re.findall(r"```\n(.*?)```", text, re.DOTALL)
    block = next(one for one in blocks if "DJANGO_ENV=production" in one and "SECRET_KEY=" in one)
    pairs = (line.strip().partition("=") for line in block.splitlines() if "=" in line)
    found = {name: value for name, _, value in pairs}
    assert found["SECRET_KEY"] == "..."
    return found | {"SECRET_KEY": secrets.token_urlsafe(50)}


@pytest.mark.e2e
def test_deploy_check_finds_nothing(tmp_path: Path) -> None:
    env = live_env(tmp_path, **settings_of_the_docs())
    done = run_manage(env, "check", "--deploy", "--fail-level", "WARNING")
    assert done.returncode == 0, done.stderr
    env["DEBUG"] = "true"
    done = run_manage(env, "check", "--deploy", "--fail-level", "WARNING")
    assert done.returncode == 1 and "security.W018" in done.stderr


@pytest.mark.e2e
def test_the_key_may_stand_in_a_file(tmp_path: Path) -> None:
    """As containers and systemd hand secrets over."""
    env = live_env(tmp_path, **settings_of_the_docs())
    (tmp_path / "key").write_text(env.pop("SECRET_KEY") + "\n")
    env["SECRET_KEY_FILE"] = str(tmp_path / "key")
    done = run_manage(env, "check", "--deploy", "--fail-level", "WARNING")
    assert done.returncode == 0, done.stderr
    env["SECRET_KEY_FILE"] = str(tmp_path / "none")
    done = run_manage(env, "check")
    assert done.returncode == 1 and "SECRET_KEY_FILE names" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
