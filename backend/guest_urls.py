"""All addresses of Corral's apps, to be included at the root of somebody else's project.

The chat page is at ``chat/`` there: the root is the project's own.
"""

from __future__ import annotations

from django.urls import include, path
from django.views.i18n import set_language

urlpatterns = [
    path("chat/", include("apps.ai_chat.urls")),
    path("", include("apps.ai_pool.urls")),
    path("", include("apps.widget.urls")),
    path("api/v1/", include("apps.api.urls")),
    path("v1/", include("apps.api.openai.urls")),
    path("language/", set_language, name="set_language"),
]
