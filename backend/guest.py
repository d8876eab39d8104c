"""Corral's apps as guests in a project of somebody else: what its settings need besides.

At the end of that project's settings::

    from backend.guest import GUEST_APPS, guest_settings

    INSTALLED_APPS += GUEST_APPS
    globals().update(guest_settings(globals()))
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from backend.cache import cache
from backend.env import BASE_DIR, SETTINGS
from backend.setting import WRONG_VALUE_ID
from backend.var_dir import prepare_var_dir

GUEST_APPS = [
    "channels",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "apps.ai_chat",
    "apps.ai_pool",
    "apps.widget",
    "apps.api",
]
LANGUAGES = [("en", "English"), ("de", "German"), ("ar", "Arabic")]
_MIDDLEWARE = ["apps.ai_pool.audit.origin.remember_request", "apps.widget.cors.CorsMiddleware"]
_SESSIONS = "django.contrib.sessions.middleware.SessionMiddleware"


def guest_settings(own: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is to be added to ``own``, the settings a project has so far.

    Names with CORRAL_ are as ``own`` has them, else as the environment says, else as the table in
    ``env.py``. Whatever else the project has chosen stays. Makes the directory for what the chat
    writes. Raises ImproperlyConfigured with one sentence for each wrong value.
    """
    read = _read()
    num_proxies = read.pop("NUM_PROXIES")
    found = {name: own.get(name, value) for name, value in read.items()}
    base_dir = Path(own.get("BASE_DIR") or ".").resolve()
    found["CORRAL_VAR_DIR"] = prepare_var_dir((base_dir / found["CORRAL_VAR_DIR"]).resolve())
    found["IS_CORRAL_GUEST"] = True
    found["BASE_DIR"] = own.get("BASE_DIR") or base_dir
    found["IS_PRODUCTION"] = own.get("IS_PRODUCTION", not own.get("DEBUG"))
    found["REST_FRAMEWORK"] = {"NUM_PROXIES": num_proxies, **own.get("REST_FRAMEWORK", {})}
    found["CACHES"] = own.get("CACHES") or {"default": cache(found["CORRAL_CACHE_URL"])}
    found["LANGUAGES"] = own.get("LANGUAGES") or LANGUAGES
    found["LOCALE_PATHS"] = [*own.get("LOCALE_PATHS", ()), BASE_DIR / "locale"]
    found["ASGI_APPLICATION"] = own.get("ASGI_APPLICATION") or "backend.asgi.application"
    found["MIDDLEWARE"] = _with_ours(own.get("MIDDLEWARE", ()))
    return found


def _read() -> dict[str, Any]:
    values, complaints = {}, []
    for setting in SETTINGS:
        if not setting.name.startswith("CORRAL_") and setting.name != "NUM_PROXIES":
            continue
        try:
            values[setting.name] = setting.read(os.environ)
        except ImproperlyConfigured as error:
            complaints.append(f"{error} ({WRONG_VALUE_ID})")
    if complaints:
        raise ImproperlyConfigured("\n".join(complaints))
    return values


def _with_ours(middleware: Any) -> list[str]:
    """Ours before the sessions: an answer to another origin's page must not depend on a cookie."""
    names = list(middleware)
    place = names.index(_SESSIONS) if _SESSIONS in names else 0
    names[place:place] = [name for name in _MIDDLEWARE if name not in names]
    return names
