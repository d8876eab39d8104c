"""The description of the API, and a page to read it and try it on."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from apps.api.openapi.document import Form, document


@require_safe
def schema(request: HttpRequest) -> HttpResponse:
    """JSON, or YAML for ``?format=yaml`` and for whoever accepts nothing but that."""
    _check_on()
    form = _wanted(request)
    found = document(form)
    if found.etag in request.headers.get("If-None-Match", ""):
        answer = HttpResponse(status=304)
    else:
        answer = HttpResponse(found.body, content_type=form.content_type)
        answer["Content-Disposition"] = f'inline; filename="corral-api.{form}"'
    answer["ETag"] = found.etag
    answer["Cache-Control"] = "public, max-age=300"
    answer["Vary"] = "Accept"
    return answer


@ensure_csrf_cookie
@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """Swagger UI, from this server's own files."""
    _check_on()
    context = {"site_name": settings.CORRAL_SITE_NAME, "schema_url": reverse("api:schema")}
    return render(request, "api/docs.html", context)


def _check_on() -> None:
    if not settings.CORRAL_API_DOCS:
        raise Http404


def _wanted(request: HttpRequest) -> Form:
    asked = request.GET.get("format", "")
    if asked in set(Form):
        return Form(asked)
    accepted = request.headers.get("Accept", "")
    wants_yaml = "yaml" in accepted or "application/vnd.oai.openapi" in accepted.split(",")
    return Form.YAML if wants_yaml and "json" not in accepted else Form.JSON
