"""How the REST framework behaves under our addresses.

The project's own settings have the same, but in somebody else's project those are theirs.
"""

from __future__ import annotations

from typing import Any

REST: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "apps.api.key_authentication.KeyAuthentication",
        "apps.api.authentication.VisitorAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.AllowAny"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["apps.api.json_parser.BoundedJSONParser"],
    "DEFAULT_THROTTLE_CLASSES": ["apps.api.key_throttle.KeyThrottle"],
    "DEFAULT_SCHEMA_CLASS": "apps.api.openapi.view_schema.ViewSchema",
    "EXCEPTION_HANDLER": "apps.api.errors.exception_handler",
    "UNAUTHENTICATED_USER": None,
}
