"""Starts with wrong or dangerous settings end with one sentence; production is protected."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.live import live_env, run_manage

KEY = "k" * 60
SHOW = (
    "from django.conf import settings as s; import json; print(json.dumps({n: getattr(s, n) for n "
    "in ('DEBUG','SESSION_COOKIE_SECURE','CSRF_COOKIE_SECURE','SECURE_HSTS_SECONDS',"
    "'SECURE_SSL_REDIRECT','CORRAL_MAX_INSTANCES')}))"
)


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        ({"DJANGO_ENV": "production"}, "Production needs a SECRET_KEY"),
        ({"DJANGO_ENV": "", "DEBUG": "false"}, "Production needs a SECRET_KEY"),
        ({"DJANGO_ENV": "production", "SECRET_KEY": "short"}, "fewer than 50 characters"),
        ({"CORRAL_QUEUE_SIZE": "lots"}, "CORRAL_QUEUE_SIZE must be a whole number, not 'lots'"),
        ({"CORRAL_VAR_DIR": "/proc/corral"}, "set CORRAL_VAR_DIR"),
    ],
)
def test_refusal_is_one_sentence(tmp_path: Path, overrides: dict[str, str], sentence: str) -> None:
    done = run_manage(live_env(tmp_path, **overrides), "migrate")
    assert done.returncode == 1
    assert sentence in done.stderr
    assert done.stderr.startswith("corral: ") and "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_asgi_refuses_the_same_way(tmp_path: Path) -> None:
    import subprocess

    done = subprocess.run(
        [sys.executable, "-c", "import backend.asgi"],
        env=live_env(tmp_path, DJANGO_ENV="production"),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].startswith("corral: Production needs a SECRET_KEY")
    assert "Traceback" not in done.stderr


def test_production_is_protected_and_passes_the_deploy_check(tmp_path: Path) -> None:
    env = live_env(
        tmp_path,
        DJANGO_ENV="production",
        SECRET_KEY="a9$" + KEY + "xYz-12345",
        ALLOWED_HOSTS="chat.example",
        maxInstances="9",
    )
    done = run_manage(env, "shell", "-v0", "-c", SHOW)
    shown = json.loads(done.stdout.strip().splitlines()[-1])
    assert shown == {
        "DEBUG": False,
        "SESSION_COOKIE_SECURE": True,
        "CSRF_COOKIE_SECURE": True,
        "SECURE_HSTS_SECONDS": 31_536_000,
        "SECURE_SSL_REDIRECT": True,
        "CORRAL_MAX_INSTANCES": 9,
    }
    checked = run_manage(env, "check", "--deploy", "--tag", "security", "--fail-level", "WARNING")
    assert checked.returncode == 0, checked.stderr


def test_env_file_is_read_and_the_environment_wins(tmp_path: Path) -> None:
    env_file = tmp_path / "my.env"
    env_file.write_text("# comment\nCORRAL_MAX_INSTANCES=6\nDEBUG=true\nmaxInstances=5\n")
    env = live_env(tmp_path, CORRAL_ENV_FILE=str(env_file), DEBUG="false", DJANGO_ENV="development")
    done = run_manage(env, "shell", "-v0", "-c", SHOW)
    shown = json.loads(done.stdout.strip().splitlines()[-1])
    assert (shown["CORRAL_MAX_INSTANCES"], shown["DEBUG"]) == (6, False)


def test_database_is_sqlite_in_wal_mode_that_survives_power_loss(
    django_db_setup: None, django_db_blocker: object
) -> None:
    from django.conf import settings
    from django.db import connection

    if connection.vendor != "sqlite":
        pytest.skip("another database is configured")
    options = settings.DATABASES["default"]["OPTIONS"]
    assert options["transaction_mode"] == "IMMEDIATE"
    with django_db_blocker.unblock(), connection.cursor() as cursor:  # type: ignore[attr-defined]
        values = {}
        for pragma in ("journal_mode", "synchronous", "busy_timeout", "foreign_keys"):
            cursor.execute(f"PRAGMA {pragma}")
            values[pragma] = cursor.fetchone()[0]
    assert values == {
        "journal_mode": "wal",
        "synchronous": 2,
        "busy_timeout": 20_000,
        "foreign_keys": 1,
    }


def test_migrations_are_complete(tmp_path: Path) -> None:
    done = run_manage(live_env(tmp_path), "makemigrations", "--check", "--dry-run")
    assert done.returncode == 0, done.stdout + done.stderr
