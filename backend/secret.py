"""The secret key: demanded in production, made once and kept in the var directory otherwise."""

from __future__ import annotations

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key

from backend.setting import WRONG_VALUE_ID

MIN_CHARS = 50
MIN_DIFFERENT_CHARS = 5
EXAMPLE_BEGINS = "django-insecure-"
"""What Django writes into the settings of a new project; such keys stand in many repositories."""
HOW_TO_MAKE_ONE = 'python -c "import secrets; print(secrets.token_urlsafe(50))"'


def secret_key(value: str, *, is_production: bool, var_dir: Path) -> str:
    """Return the key to use.

    Raises ImproperlyConfigured in production without a good ``value``, and in development when
    the generated key can be neither read nor written.
    """
    if value:
        if is_production and (weakness := _weakness(value)):
            raise ImproperlyConfigured(
                f"SECRET_KEY {weakness}; make one with {HOW_TO_MAKE_ONE} ({WRONG_VALUE_ID})"
            )
        return value
    if is_production:
        raise ImproperlyConfigured(
            f"Production needs a SECRET_KEY in the environment or .env, or a file that holds it "
            f"named by SECRET_KEY_FILE; make one with "
            f"{HOW_TO_MAKE_ONE} ({WRONG_VALUE_ID})"
        )
    return _development_key(var_dir / "secret_key")


def _weakness(key: str) -> str:
    """Return why a key can be guessed, as the end of a sentence; "" when it cannot."""
    if len(key) < MIN_CHARS:
        return f"has fewer than {MIN_CHARS} characters"
    if len(set(key)) < MIN_DIFFERENT_CHARS:
        return f"has fewer than {MIN_DIFFERENT_CHARS} different characters"
    if key.startswith(EXAMPLE_BEGINS):
        return f"begins with {EXAMPLE_BEGINS}, as keys of examples do"
    return ""


def _development_key(path: Path) -> str:
    try:
        key = path.read_text().strip()
        if key:
            return key
    except FileNotFoundError:
        pass
    except OSError as error:
        raise ImproperlyConfigured(f"{path} cannot be read: {error.strerror}.") from None
    # Written whole beside its place and then linked: two first starts at once agree on one key.
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(get_random_secret_key() + "\n")
        try:
            os.link(draft, path)
        except FileExistsError:
            if not path.read_text().strip():
                os.replace(draft, path)
        finally:
            draft.unlink(missing_ok=True)
        return path.read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(f"{path} cannot be written: {error.strerror}.") from None
