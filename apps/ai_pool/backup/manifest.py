"""The first file of a backup: what made it and what is in it, with a checksum of every file."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from ai_model.store import PROJECT_ROOT
from apps.ai_pool.backup.errors import BackupError

FORMAT = 1
MANIFEST_NAME = "manifest.json"
MAX_BYTES = 256 * 1024
SQLITE_NAME, POSTGRES_NAME = "db.sqlite3", "db.pgdump"
KEY_NAME, ENV_NAME, MODEL_NAME = "secret_key", "env", "model.json"
KNOWN_NAMES = (SQLITE_NAME, POSTGRES_NAME, KEY_NAME, ENV_NAME, MODEL_NAME)
"""Nothing else is ever unpacked."""
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a backup."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup says of itself."""

    made_at: str
    """UTC, ISO 8601."""
    versions: dict[str, str]
    """corral, python, django and the database."""
    migrations: dict[str, str] = field(default_factory=dict)
    """The newest migration of every app that has one."""
    entries: tuple[Entry, ...] = ()

    @property
    def database_name(self) -> str:
        """The file with the database."""
        names = [entry.name for entry in self.entries]
        return SQLITE_NAME if SQLITE_NAME in names else POSTGRES_NAME

    @property
    def num_bytes(self) -> int:
        """Size of all files, unpacked."""
        return sum(entry.size for entry in self.entries)

    def to_json(self) -> dict[str, Any]:
        """What is written."""
        return {"format": FORMAT} | asdict(self)

    @classmethod
    def from_bytes(cls, data: bytes) -> Manifest:
        """Read what ``to_json`` said. Raises BackupError: a backup may come from anywhere."""
        try:
            values = json.loads(data)
            if values["format"] != FORMAT:
                raise BackupError(
                    f"The backup has format {values['format']!r} and this Corral reads {FORMAT}; "
                    "restore it with the version that made it."
                )
            manifest = cls(
                made_at=datetime.fromisoformat(values["made_at"]).isoformat(timespec="seconds"),
                versions=_texts(values["versions"]),
                migrations=_texts(values["migrations"]),
                entries=tuple(_entry(one) for one in values["entries"]),
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise BackupError("The backup's manifest cannot be understood.") from None
        names = [entry.name for entry in manifest.entries]
        if len(names) != len(set(names)) or not {SQLITE_NAME, POSTGRES_NAME} & set(names):
            raise BackupError("The backup's manifest names no database, or a file twice.")
        return manifest


def now_text() -> str:
    """The time for ``made_at``."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def corral_version() -> str:
    """The version of this installation, or "unknown"."""
    try:
        with (PROJECT_ROOT / "pyproject.toml").open("rb") as file:
            return str(tomllib.load(file)["project"]["version"])
    except (OSError, ValueError, KeyError):
        return "unknown"


def _texts(values: dict[str, Any]) -> dict[str, str]:
    return {str(name)[:100]: str(value)[:200] for name, value in values.items()}


def _entry(values: dict[str, Any]) -> Entry:
    name, size, sha256 = values["name"], values["size"], values["sha256"]
    is_sound = type(size) is int and size >= 0 and isinstance(sha256, str)
    if name not in KNOWN_NAMES:
        raise BackupError(f"The backup holds {name!r}, which no backup of Corral has.")
    if not is_sound or not _SHA256.fullmatch(sha256):
        raise ValueError
    return Entry(name, size, sha256)
