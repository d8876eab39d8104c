"""The addresses of the site."""

from __future__ import annotations

from django.contrib import admin
from django.templatetags.static import static
from django.urls import include, path
from django.utils.functional import lazy
from django.views.generic import RedirectView
from django.views.i18n import set_language

POOL_PAGE = "admin:ai_pool_poolstatus_changelist"

urlpatterns = [
    path("", include("apps.ai_chat.urls")),
    path("", include("apps.ai_pool.urls")),
    path("", include("apps.widget.urls")),
    path("api/v1/", include("apps.api.urls")),
    path("v1/", include("apps.api.openai.urls")),
    path("language/", set_language, name="set_language"),
    path("admin/pool/", RedirectView.as_view(pattern_name=POOL_PAGE, query_string=True)),
    path("admin/", admin.site.urls),
    # Browsers ask for it on pages that name no icon, such as the admin's.
    path("favicon.ico", RedirectView.as_view(url=lazy(static, str)("ai_chat/icon.svg"))),
]
