"""``backup`` and ``restore`` as they are typed."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from tests.apps.ai_pool.backup.conftest import notes_in, write_note


@pytest.fixture
def database(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A site whose database has one row."""
    var_dir = tmp_path / "var"
    var_dir.mkdir()
    path = var_dir / "db.sqlite3"
    monkeypatch.setenv("CORRAL_ENV_FILE", str(tmp_path / ".env"))
    settings.CORRAL_VAR_DIR = var_dir
    values = {**settings.DATABASES["default"], "NAME": path}
    monkeypatch.setitem(settings.DATABASES, "default", values)
    write_note(path, "first")
    return path


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def test_there_and_back(database: Path, tmp_path: Path) -> None:
    made = json.loads(run("backup", "--json"))
    assert Path(made["path"]).parent == database.parent / "backups"
    assert {entry["name"] for entry in made["manifest"]["entries"]} == {"db.sqlite3", "secret_key"}
    assert run("restore", made["path"], "--check").startswith("Sound. made ")
    answer = json.loads(run("restore", made["path"], "--to", str(tmp_path / "new"), "--json"))
    assert answer["var_dir"] == str(tmp_path / "new") and answer["kept_in"] is None
    assert notes_in(tmp_path / "new" / "db.sqlite3") == ["first"]


def test_over_what_is_there(database: Path) -> None:
    path = json.loads(run("backup", "--json"))["path"]
    write_note(database, "later")
    with pytest.raises(CommandError, match="--force") as caught:
        run("restore", path)
    assert caught.value.returncode == 2
    text = run("restore", path, "--force")
    assert text.startswith("Restored to ") and "What was there before is in" in text
    assert notes_in(database) == ["first"]


def test_list_and_keep(database: Path, tmp_path: Path) -> None:
    directory = str(tmp_path / "shelf")
    assert run("backup", "--list", "--to", directory).startswith("There is no backup in")
    paths = [json.loads(run("backup", "--json", "--to", directory))["path"] for _ in range(3)]
    rows = json.loads(run("backup", "--list", "--json", "--to", directory))
    assert [row["path"] for row in rows] == paths[::-1]
    assert "Removed 2 older ones; 2 are kept." in run("backup", "--keep", "2", "--to", directory)
    assert len(run("backup", "--list", "--to", directory).splitlines()) == 2


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["backup", "--keep", "0"], "--keep must be at least 1"),
        (["backup", "--to", "/proc/nowhere"], "choose another directory"),
        (["restore", "/nowhere.tar.gz"], "There is no backup /nowhere.tar.gz"),
    ],
)
def test_wrong_use(database: Path, arguments: list[str], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence) as caught:
        run(*arguments)
    assert caught.value.returncode == 2
