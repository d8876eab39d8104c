"""What the settings keep from the pool process, and that a real one cannot get at it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from pytest_django import Settings

from ai_model.sandbox.sandbox import SandboxMode
from apps.ai_pool import pool_sandbox as pool_sandbox_module
from apps.ai_pool.pool_sandbox import pool_sandbox


def test_all_places_with_data_and_secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    database = {"ENGINE": "django.db.backends.sqlite3", "NAME": "/srv/data/site.sqlite3"}
    stand_in = SimpleNamespace(
        CORRAL_POOL_SANDBOX="auto",
        CORRAL_VAR_DIR=tmp_path / "var",
        CORRAL_BACKUP_DIR="/mnt/backups",
        DATABASES={"default": database},
    )
    monkeypatch.setattr(pool_sandbox_module, "settings", stand_in)
    monkeypatch.setenv("CORRAL_ENV_FILE", "/etc/corral.env")
    monkeypatch.setenv("SECRET_KEY_FILE", "/run/secrets/key")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/credentials/corral.service")
    monkeypatch.setenv("HOME", "/home/olga")
    private = set(map(str, pool_sandbox().private))
    assert private >= {
        str(tmp_path / "var"),
        "/mnt/backups",
        "/srv/data/site.sqlite3",
        "/srv/data/site.sqlite3-wal",
        "/etc/corral.env",
        "/run/secrets/key",
        "/run/credentials/corral.service",
        "/home/olga/.ssh",
    }


@pytest.mark.parametrize("mode", ["auto", "required", "off"])
def test_the_mode_is_the_settings(settings: Settings, mode: str) -> None:
    settings.CORRAL_POOL_SANDBOX = mode
    assert pool_sandbox().mode is SandboxMode(mode)
