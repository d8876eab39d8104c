"""Removes what simulated visitors wrote, as visitors do it: ``DELETE /api/v1/visitor``."""

from __future__ import annotations

import http.client
import ssl
from urllib.parse import urlsplit

COOKIE_NAME = "corral_visitor"
CSRF_SECRET = "0123456789abcdefghijklmnopqrstuv"
"""Cookie and header must agree, which proves to a site that no other site's page sent this."""
TIMEOUT_S = 60.0


def erase(base_url: str, token: str) -> bool:
    """Erase everything of the visitor with this token; False when the server did not. Blocks."""
    parts = urlsplit(base_url)
    is_secure = parts.scheme == "https"
    headers = {
        "Cookie": f"{COOKIE_NAME}={token}; csrftoken={CSRF_SECRET}",
        "X-CSRFToken": CSRF_SECRET,
        "Origin": base_url,
        "Referer": f"{base_url}/",
    }
    host, port = parts.hostname or "", parts.port
    connection = (
        http.client.HTTPSConnection(
            host, port, timeout=TIMEOUT_S, context=ssl.create_default_context()
        )
        if is_secure
        else http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
    )
    try:
        connection.request("DELETE", "/api/v1/visitor", headers=headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
