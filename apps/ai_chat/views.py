"""The chat page, and the way to it from a website."""

from __future__ import annotations

from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import get_language, gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from apps.ai_chat.face import Face, face_of, own_face
from apps.ai_chat.site_cookie import remember_handover, visitor_of_site_cookie
from apps.ai_chat.visitor import remember_visitor
from apps.ai_pool.services import model_notice
from apps.widget import services as sites
from apps.widget.errors import HandoverOver
from apps.widget.texts import best_language, catalog


@require_safe
@never_cache
@ensure_csrf_cookie
def chat_page(request: HttpRequest) -> HttpResponse:
    """Show the chat, and give the browser the cookie that makes its conversations its own.

    ``?site=`` shows the chat of a website to a visitor who came from there by a handover.
    """
    if "site" in request.GET:
        found = visitor_of_site_cookie(request.COOKIES, request.GET["site"])
        if found is None:
            return _ended(request)
        return _page(request, face_of(found[0], get_language() or ""))
    response = _page(request, own_face())
    remember_visitor(request, response)
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sensitive_post_parameters("code")
def handover(request: HttpRequest) -> HttpResponse:
    """Take the code a website's chat made; its script sends what stands behind the address."""
    if request.method != "POST":
        return render(request, "ai_chat/handover.html", {"sentence": ""})
    try:
        used = sites.finish_handover(request.POST.get("code", ""))
    except HandoverOver:
        return _ended(request)
    query = {"site": used.site.key}
    if used.conversation is not None:
        query["c"] = str(used.conversation)
    response = HttpResponseRedirect(f"/?{urlencode(query)}")
    remember_handover(request, response, used)
    return response


def _page(request: HttpRequest, face: Face) -> HttpResponse:
    is_staff = request.user.is_authenticated and request.user.is_staff and not face.site_key
    context = {
        "face": face,
        "assistant_name": face.assistant_name,
        "site_name": face.site_name,
        "is_staff": is_staff,
        "model_notice": model_notice() if is_staff else None,
        "data": {
            "max_chars": face.max_chars,
            "ws_path": "/ws/chat/",
            "api": "/api/v1/",
            "site": face.site_key,
            "is_staff": is_staff,
            "assistant_name": face.assistant_name,
            "texts": catalog(best_language(get_language())),
        },
    }
    return render(request, "ai_chat/chat.html", context)


def _ended(request: HttpRequest) -> HttpResponse:
    """Say how to get to the website's chat again."""
    sentence = gettext(
        "This way into the chat works once and for one minute, and that is over. Go back to the "
        "website and open the chat there again."
    )
    context = {"sentence": sentence, "site_name": settings.CORRAL_SITE_NAME}
    return render(request, "ai_chat/handover.html", context, status=403)
