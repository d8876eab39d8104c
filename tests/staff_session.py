"""A member of staff who is signed in at a real server."""

from __future__ import annotations

import json

from tests.live import LiveServer

_SETUP = """
import json
from django.contrib.auth import get_user_model
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
staff, _ = get_user_model().objects.get_or_create(
    username="staff", defaults={"is_staff": True, "is_superuser": True}
)
session = SessionStore()
session[SESSION_KEY] = str(staff.pk)
session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
session[HASH_SESSION_KEY] = staff.get_session_auth_hash()
session.save()
print(json.dumps(session.session_key))
"""


def staff_session(server: LiveServer) -> str:
    """Sign a superuser in; returns the value of the session cookie."""
    result = server.manage("shell", "-v", "0", "-c", _SETUP)
    assert result.returncode == 0, result.stderr
    return str(json.loads(result.stdout.strip().splitlines()[-1]))
