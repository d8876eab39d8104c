"""Two views of a shop: a page with the chat on it, and one that asks the model itself."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.ai_chat.llm_handler_deployment import generate_deployment_response
from apps.widget.models import Site


def front(request: HttpRequest) -> HttpResponse:
    """The front page. The key of the site is copied from the admin in a real shop."""
    return render(request, "shop/front.html", {"site": Site.objects.first()})


def ask(request: HttpRequest) -> HttpResponse:
    """The answer to ``?q=``; the questions of one session of somebody signed in belong together."""
    session_id = request.session.session_key if request.user.is_authenticated else None
    text = generate_deployment_response(
        prompt=request.GET.get("q", ""), chat_session=session_id, user=request.user
    )
    return HttpResponse(text, content_type="text/plain; charset=utf-8")
