"""What a project of somebody else gets, and what stays as it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from backend import body_limit
from backend.env import BASE_DIR, SETTINGS
from backend.guest import guest_settings

SESSIONS = "django.contrib.sessions.middleware.SessionMiddleware"
CORS = "apps.widget.cors.CorsMiddleware"


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    for setting in SETTINGS:
        monkeypatch.delenv(setting.name, raising=False)
    return {"BASE_DIR": tmp_path, "DEBUG": True, "MIDDLEWARE": ["first", SESSIONS, "last"]}


def test_every_setting_has_a_value(own: dict[str, Any]) -> None:
    found = guest_settings(own)
    ours = {setting.name for setting in SETTINGS if setting.name.startswith("CORRAL_")}
    assert ours <= set(found)
    assert found["CORRAL_VAR_DIR"] == own["BASE_DIR"] / "var" and (own["BASE_DIR"] / "var").is_dir()
    assert found["IS_PRODUCTION"] is False
    assert BASE_DIR / "locale" in found["LOCALE_PATHS"]
    assert not {"SECRET_KEY", "DEBUG", "DATABASES", "INSTALLED_APPS"} & set(found)


def test_the_project_wins_then_the_environment(
    own: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORRAL_SITE_NAME", "From outside")
    monkeypatch.setenv("CORRAL_ASSISTANT_NAME", "From outside")
    monkeypatch.setenv("NUM_PROXIES", "1")
    found = guest_settings(own | {"CORRAL_SITE_NAME": "Shop"})
    assert found["CORRAL_SITE_NAME"] == "Shop"
    assert found["CORRAL_ASSISTANT_NAME"] == "From outside"
    assert found["REST_FRAMEWORK"]["NUM_PROXIES"] == 1


def test_what_it_has_chosen_stays(own: dict[str, Any]) -> None:
    chosen = {
        "CACHES": {"default": {"BACKEND": "x"}},
        "LANGUAGES": [("nl", "Dutch")],
        "LOCALE_PATHS": [Path("/mine")],
        "ASGI_APPLICATION": "mine.asgi.application",
        "REST_FRAMEWORK": {"DEFAULT_PERMISSION_CLASSES": ["mine"]},
    }
    found = guest_settings(own | chosen)
    for name in ("CACHES", "LANGUAGES", "ASGI_APPLICATION"):
        assert found[name] == chosen[name]
    assert found["LOCALE_PATHS"][0] == Path("/mine")
    assert found["REST_FRAMEWORK"] == {"NUM_PROXIES": 0, "DEFAULT_PERMISSION_CLASSES": ["mine"]}


def test_our_middleware_stands_before_the_sessions_and_once(own: dict[str, Any]) -> None:
    names = guest_settings(own)["MIDDLEWARE"]
    assert names[0] == "first" and names[-2:] == [SESSIONS, "last"]
    assert names.index(CORS) < names.index(SESSIONS)
    assert guest_settings(own | {"MIDDLEWARE": names})["MIDDLEWARE"] == names


def test_the_project_takes_what_it_likes(settings: Any) -> None:
    """Our bound on bodies is for our own addresses: people send it pictures."""
    settings.IS_CORRAL_GUEST = True
    assert body_limit.most_bytes("/pictures/") > 10**9
    assert body_limit.most_bytes("/v1/chat/completions") == settings.DATA_UPLOAD_MAX_MEMORY_SIZE


def test_wrong_values_are_named_together(
    own: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORRAL_MAX_CHARS", "many")
    monkeypatch.setenv("CORRAL_QUEUE_SIZE", "0")
    # Nothing of ours, and none of our business.
    monkeypatch.setenv("DJANGO_ENV", "staging")
    with pytest.raises(ImproperlyConfigured, match="CORRAL_QUEUE_SIZE") as caught:
        guest_settings(own)
    assert "CORRAL_MAX_CHARS" in str(caught.value)
