"""The pages behind a site's buttons: install, versions, identity secret, and single actions.

Every action is a POST with a CSRF token by staff who may change sites, and leaves a LogEntry.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from apps.widget import instructions, services
from apps.widget.errors import BadOrigin, InstructionsTooLong
from apps.widget.models import Instructions, RefusedOrigin, Site
from apps.widget.models.instructions import MAX_TOKENS
from apps.widget.origins import parse_origin
from apps.widget.snippet import Snippet
from apps.widget.token_count import count_tokens

_TEMPLATES = "admin/widget/site"


class SitePages:
    """What SiteAdmin has beyond list and form."""

    admin_site: Any
    opts: Any

    def page_urls(self) -> list[URLPattern]:
        """Addresses of the pages."""
        pages = (
            ("<int:site_id>/install/", self.install_view, "install"),
            ("<int:site_id>/instructions/", self.versions_view, "instructions"),
            ("<int:site_id>/identity/", self.identity_view, "identity"),
            ("<int:site_id>/allow/", require_POST(self.allow_view), "allow"),
            ("<int:site_id>/forget/", require_POST(self.forget_view), "forget"),
            ("count/", require_POST(self.count_view), "count"),
        )
        return [
            path(route, self.admin_site.admin_view(view), name=f"widget_site_{name}")
            for route, view, name in pages
        ]

    def install_view(self, request: HttpRequest, site_id: int) -> HttpResponse:
        """The tags and lines to paste."""
        site = self._site(request, site_id, may_change=False)
        base = request.build_absolute_uri("/").rstrip("/")
        return self._page(
            request,
            "install",
            site,
            title=f"Install the chat on {site.name}",
            snippet=Snippet(base, site.key),
            origins=list(site.origins.all()),
            is_plain_http=base.startswith("http://"),
        )

    def versions_view(self, request: HttpRequest, site_id: int) -> HttpResponse:
        """Earlier instructions; a POST puts one of them in force again."""
        site = self._site(request, site_id, may_change=request.method == "POST")
        if request.method == "POST":
            return self._restore(request, site)
        current = services.current_instructions(site)
        return self._page(
            request,
            "instructions",
            site,
            title=f"Instructions of {site.name}",
            versions=list(site.instructions.select_related("author")),
            current=current,
            whole_prompt=services.whole_prompt(current.text if current else ""),
            max_tokens=MAX_TOKENS,
        )

    def identity_view(self, request: HttpRequest, site_id: int) -> HttpResponse:
        """Explains verified users; a confirmed POST makes a new secret and shows it this once."""
        site = self._site(request, site_id, may_change=True)
        secret = ""
        if request.method == "POST":
            if request.POST.get("is_confirmed") == "1":
                secret = services.rotate_identity_secret(site)
                self._log(request, site, "Made a new identity secret.")
            else:
                messages.error(request, "Please confirm that the old secret may stop working.")
        response = self._page(
            request, "identity", site, title=f"Verified users of {site.name}", secret=secret
        )
        response["Cache-Control"] = "no-store"
        return response

    def allow_view(self, request: HttpRequest, site_id: int) -> HttpResponse:
        """Allow an origin that was refused."""
        site = self._site(request, site_id, may_change=True)
        refusal = site.refusals.filter(origin=request.POST.get("origin", "")).first()
        if refusal is None:
            messages.error(request, "This origin is not on the list of refused ones any more.")
            return self._back(site)
        try:
            entry = services.allow_origin(site, refusal.origin)
        except BadOrigin as error:
            messages.error(request, error.text)
            return self._back(site)
        self._log(request, site, f"Allowed the origin {entry}.")
        messages.success(request, f"Pages of {entry} may use this chat now.")
        return self._back(site)

    def forget_view(self, request: HttpRequest, site_id: int) -> HttpResponse:
        """Empty the list of refused origins."""
        site = self._site(request, site_id, may_change=True)
        number, _ = site.refusals.all().delete()
        if number:
            self._log(request, site, f"Cleared {number} refused origins.")
        return self._back(site)

    def count_view(self, request: HttpRequest) -> HttpResponse:
        """How many tokens the instructions in the form are, and the prompt they make."""
        if not self.has_change_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        text = instructions.clean_text(request.POST.get("text", ""))[: instructions.MAX_CHARS]
        count = count_tokens(text)
        return JsonResponse(
            {
                "number": count.number,
                "is_exact": count.is_exact,
                "prompt": services.whole_prompt(text),
            }
        )

    def refusals_of(self, site: Site) -> list[dict[str, Any]]:
        """Refused origins with what can be done about each."""
        return [{"row": row, "sentence": _why_not_allowed(row)} for row in site.refusals.all()[:50]]

    def _restore(self, request: HttpRequest, site: Site) -> HttpResponse:
        try:
            version_id = int(request.POST.get("version", ""))
            services.restore_instructions(site, version_id, request.user)
        except (ValueError, OverflowError, Instructions.DoesNotExist):
            raise Http404 from None
        except InstructionsTooLong as error:
            messages.error(request, error.text)
        else:
            self._log(request, site, "Restored earlier instructions.")
            messages.success(request, "These instructions are in force again.")
        return HttpResponseRedirect(reverse("admin:widget_site_instructions", args=[site.pk]))

    def _site(self, request: HttpRequest, site_id: int, *, may_change: bool) -> Site:
        site = Site.objects.defer("logo").filter(pk=site_id).first()
        can_see = self.has_view_permission(request, site)  # type: ignore[attr-defined]
        can_change = self.has_change_permission(request, site)  # type: ignore[attr-defined]
        if not (can_change if may_change else can_see):
            raise PermissionDenied
        if site is None:
            raise Http404
        return site

    def _page(
        self, request: HttpRequest, name: str, site: Site, **context: Any
    ) -> TemplateResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "site_row": site,
            "can_change_site": self.has_change_permission(request, site),  # type: ignore[attr-defined]
            **context,
        }
        return TemplateResponse(request, f"{_TEMPLATES}/{name}.html", context)

    def _log(self, request: HttpRequest, site: Site, message: str) -> None:
        self.log_change(request, site, message)  # type: ignore[attr-defined]

    def _back(self, site: Site) -> HttpResponse:
        address = reverse("admin:widget_site_change", args=[site.pk])
        return HttpResponseRedirect(f"{address}#refused-origins")


def _why_not_allowed(row: RefusedOrigin) -> str:
    """Why this one can not be allowed; "" when it can."""
    try:
        parse_origin(row.origin)
    except BadOrigin as error:
        return error.text
    return ""
