"""The secret key: demanded in production, made once in development."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from backend.secret import secret_key


def test_development_key_is_made_once_and_private(tmp_path: Path) -> None:
    first = secret_key("", is_production=False, var_dir=tmp_path)
    assert len(first) >= 50
    assert secret_key("", is_production=False, var_dir=tmp_path) == first
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


def test_empty_file_of_a_full_disk_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_text("")
    assert len(secret_key("", is_production=False, var_dir=tmp_path)) >= 50


def test_given_key_wins(tmp_path: Path) -> None:
    assert secret_key("given", is_production=False, var_dir=tmp_path) == "given"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "value",
    ["", "too short", "ab" * 40, "django-insecure-4t%2ks9v!x8w0q7z_e5r6u1i3o2p4a5s6d7f8g9h"],
)
def test_production_refuses_without_a_good_key(tmp_path: Path, value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY.*secrets.token_urlsafe"):
        secret_key(value, is_production=True, var_dir=tmp_path)
    assert not list(tmp_path.iterdir()), "production never makes a key by itself"


def test_unreadable_key_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "secret_key").mkdir()
    with pytest.raises(ImproperlyConfigured, match="cannot be read"):
        secret_key("", is_production=False, var_dir=tmp_path)
