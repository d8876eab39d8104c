"""Everything but some places."""

from __future__ import annotations

from pathlib import Path

from ai_model.sandbox.carving import all_but


def is_covered(path: Path, found: list[Path]) -> bool:
    return any(path == one or one in path.parents for one in found)


def test_the_rest_is_covered_and_the_place_is_not(tmp_path: Path) -> None:
    """Neither are files in it, nor a link that leads into it."""
    (tmp_path / "var").mkdir()
    (tmp_path / "site").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "var")
    found = all_but([tmp_path / "var"])
    for open_path in ("site/page", "file"):
        assert is_covered(tmp_path / open_path, found)
    for closed in ("var", "var/db.sqlite3", "link"):
        assert not is_covered(tmp_path / closed, found)
    assert is_covered(Path("/usr/lib"), found) and is_covered(Path("/proc/self"), found)
    assert not is_covered(tmp_path, found)


def test_several_places_one_in_another(tmp_path: Path) -> None:
    """A file in an open directory; a place within a closed one adds nothing."""
    for name in ("var/backups", "site/a"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "site" / ".env").touch()
    found = all_but([tmp_path / "var" / "backups", tmp_path / "var", tmp_path / "site" / ".env"])
    assert is_covered(tmp_path / "site" / "a", found)
    for closed in ("var", "var/backups", "site/.env"):
        assert not is_covered(tmp_path / closed, found)


def test_a_link_to_the_place_is_the_place(tmp_path: Path) -> None:
    """Settings may name it either way."""
    (tmp_path / "var").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "var")
    assert not is_covered(tmp_path / "var" / "db", all_but([tmp_path / "link"]))


def test_what_is_not_there_and_nothing_at_all(tmp_path: Path) -> None:
    """A place that comes later stays closed."""
    assert not is_covered(tmp_path / "later" / "db", all_but([tmp_path / "later"]))
    assert all_but([]) == [Path("/")]
