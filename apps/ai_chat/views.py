"""The chat page."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language, gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from apps.ai_chat.visitor import remember_visitor
from apps.ai_pool.services import model_notice
from apps.widget.texts import best_language, catalog


@require_safe
@never_cache
@ensure_csrf_cookie
def chat_page(request: HttpRequest) -> HttpResponse:
    """Show the chat, and give the browser the cookie that makes its conversations its own."""
    is_staff = request.user.is_authenticated and request.user.is_staff
    assistant_name = _assistant_name()
    context = {
        "assistant_name": assistant_name,
        "site_name": settings.CORRAL_SITE_NAME,
        "limits": {"max_chars": settings.CORRAL_MAX_CHARS},
        "model_notice": model_notice() if is_staff else None,
        "data": {
            "max_chars": settings.CORRAL_MAX_CHARS,
            "ws_path": "/ws/chat/",
            "api": "/api/v1/",
            "is_staff": is_staff,
            "assistant_name": assistant_name,
            "texts": catalog(best_language(get_language())),
        },
    }
    response = render(request, "ai_chat/chat.html", context)
    remember_visitor(request, response)
    return response


def _assistant_name() -> str:
    """The owner's name for the assistant; without one it is called what it is."""
    name: str = settings.CORRAL_ASSISTANT_NAME
    return gettext("Assistant") if name in ("", "Assistant") else name
