"""The table of every setting: name, type, default, limits, help.

It is the single source of the defaults, of the validation and of ``docs/settings.md``. Values come
from the environment, then from the file ``.env``, then from the table.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

from backend.sections import answers, django, limits, model, pool, site
from backend.setting import FALSE, WRONG_VALUE_ID, Setting

BASE_DIR = Path(__file__).resolve().parent.parent

SECTIONS: dict[str, tuple[Setting, ...]] = {
    "Pool": pool.SETTINGS,
    "Model": model.SETTINGS,
    "Answers": answers.SETTINGS,
    "Limits": limits.SETTINGS,
    "Site": site.SETTINGS,
    "Django": django.SETTINGS,
}
SETTINGS: tuple[Setting, ...] = tuple(chain.from_iterable(SECTIONS.values()))


def read_settings(environment: Mapping[str, str]) -> dict[str, Any]:
    """Return every setting of the table by name; a wrong one raises ImproperlyConfigured."""
    values = _read_each(environment)
    debug = environment.get("DEBUG", "").strip().lower()
    # Who switches DEBUG off by hand means a public server, and gets its protection.
    if not environment.get("DJANGO_ENV", "").strip() and debug in FALSE:
        values["DJANGO_ENV"] = "production"
    return values


def _read_each(environment: Mapping[str, str]) -> dict[str, Any]:
    """The value of every setting; all that are wrong are named at once."""
    values, complaints = {}, []
    for setting in SETTINGS:
        try:
            values[setting.name] = setting.read(environment)
        except ImproperlyConfigured as error:
            complaints.append(f"{error} ({WRONG_VALUE_ID})")
    if complaints:
        raise ImproperlyConfigured("\n".join(complaints))
    return values


def load() -> dict[str, Any]:
    """Read the file ``.env`` (another one: CORRAL_ENV_FILE, empty for none), then the settings."""
    path = os.environ.get("CORRAL_ENV_FILE", str(BASE_DIR / ".env"))
    if path and Path(path).is_file():
        try:
            environ.Env.read_env(path)
        except (OSError, UnicodeDecodeError) as error:
            raise ImproperlyConfigured(
                f"The settings file {path} cannot be read: {error}."
            ) from None
    return read_settings(os.environ)
