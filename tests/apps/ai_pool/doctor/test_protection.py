"""The secret key, DEBUG, and the files with secrets."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from apps.ai_pool.doctor.finding import Level
from apps.ai_pool.doctor.protection import check_debug, check_private, check_secret
from tests.apps.ai_pool.doctor.findings import is_well, only

GOOD_KEY = "k3y" * 5 + "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


@pytest.mark.parametrize("key", ["short", "a" * 60, "django-insecure-" + GOOD_KEY])
def test_key_that_can_be_guessed(key: str) -> None:
    finding = only(check_secret(key), "secret-weak", Level.ERROR)
    assert key not in finding.sentence + finding.fix
    assert "token_urlsafe(50)" in finding.fix and "SECRET_KEY_FALLBACKS" in finding.fix


def test_good_key() -> None:
    assert is_well(check_secret(GOOD_KEY))


@pytest.mark.parametrize(("is_production", "is_public"), [(True, False), (False, True)])
def test_debug_on_a_server(is_production: bool, is_public: bool) -> None:
    findings = check_debug(is_debug=True, is_production=is_production, is_public=is_public)
    assert "DEBUG=false" in only(findings, "debug-on", Level.ERROR).fix


def test_public_without_production() -> None:
    findings = check_debug(is_debug=False, is_production=False, is_public=True)
    assert "DJANGO_ENV=production" in only(findings, "not-production", Level.ERROR).fix


def test_development_at_home() -> None:
    assert is_well(check_debug(is_debug=True, is_production=False, is_public=False))
    assert is_well(check_debug(is_debug=False, is_production=True, is_public=True))


def test_key_that_everybody_can_read() -> None:
    # pytest's own directories are closed to others.
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        directory, path = Path(name), Path(name) / "secret_key"
        path.touch()
        path.chmod(0o644)
        directory.chmod(0o755)
        finding = only(check_private([path, path / "none"]), "secrets-readable", Level.WARNING)
        assert finding.fix == f"chmod o= {path}"
        path.chmod(0o640)
        assert is_well(check_private([path]))
        path.chmod(0o644)
        directory.chmod(0o750)
        assert is_well(check_private([path]))
