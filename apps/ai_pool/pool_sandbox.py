"""What the pool process of this site is to give up, made from the settings."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from ai_model.sandbox.sandbox import Sandbox, SandboxMode
from backend.env import BASE_DIR, SETTINGS

HOME_SECRETS = (".ssh", ".gnupg", ".aws", ".netrc", ".pgpass", ".my.cnf", ".config", ".docker")
"""Below the home directory of the server's user, if it has one."""


def pool_sandbox() -> Sandbox:
    """Return it. What CORRAL_POOL_SANDBOX can be is checked where settings are read."""
    return Sandbox(mode=SandboxMode(settings.CORRAL_POOL_SANDBOX), private=tuple(private_paths()))


def private_paths() -> Iterator[Path]:
    """Give the files and directories a pool process has no business with, there or not."""
    yield Path(settings.CORRAL_VAR_DIR)
    if settings.CORRAL_BACKUP_DIR:
        yield Path(settings.CORRAL_BACKUP_DIR).absolute()
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3") and os.path.isabs(database["NAME"]):
        # With the files that SQLite keeps beside it.
        yield from (Path(f"{database['NAME']}{end}") for end in ("", "-wal", "-shm", "-journal"))
    env_file = os.environ.get("CORRAL_ENV_FILE", str(BASE_DIR / ".env"))
    if env_file:
        yield Path(env_file).absolute()
    for setting in SETTINGS:
        if (path := setting.file(os.environ)) is not None:
            yield path.absolute()
    if directory := os.environ.get("CREDENTIALS_DIRECTORY"):
        yield Path(directory)  # systemd's
    if (home := os.path.expanduser("~")) != "~":
        yield from (Path(home, name) for name in HOME_SECRETS)
