"""Where the database is, and that a wrong address is a sentence without a password in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from backend import database as module
from backend.database import database


def test_sqlite_in_the_var_directory(tmp_path: Path) -> None:
    found = database("", tmp_path)
    assert found["NAME"] == tmp_path / "db.sqlite3"
    assert found["OPTIONS"]["transaction_mode"] == "IMMEDIATE"


def test_postgresql(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: object())
    found = database("postgres://ann:secret@db.example/corral", tmp_path)
    assert found["ENGINE"] == "backend.postgresql"
    assert (found["HOST"], found["NAME"], found["CONN_MAX_AGE"]) == ("db.example", "corral", 0)


@pytest.mark.parametrize(
    "url",
    [
        "nonsense-secret",
        "foo://ann:secret@db.example/corral",
        "postgres://ann:secret@db.example:port/corral",
        "postgres://ann:secret@db.example/",
    ],
)
def test_what_is_no_address(url: str, tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"postgres://.*corral\.E030") as caught:
        database(url, tmp_path)
    assert "secret" not in str(caught.value)


def test_a_driver_that_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(ImproperlyConfigured, match="driver is not installed; run `pip install"):
        database("postgres://ann:secret@db.example/corral", tmp_path)
