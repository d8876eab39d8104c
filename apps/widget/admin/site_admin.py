"""Sites in the admin: the list, the form, and the pages behind its buttons."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.forms import ModelForm, Script
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, reverse
from django.utils.html import format_html

from apps.widget import services
from apps.widget.admin.inlines import AllowedOriginInline, SiteTextInline
from apps.widget.admin.site_form import SiteForm
from apps.widget.admin.site_pages import SitePages
from apps.widget.advice import advice_for
from apps.widget.logo import version_of
from apps.widget.models import Site


@admin.register(Site)
class SiteAdmin(SitePages, admin.ModelAdmin):  # type: ignore[type-arg]
    """Everything an owner sets about the chat on a website."""

    form = SiteForm
    inlines = (AllowedOriginInline, SiteTextInline)
    list_filter = ("is_on",)
    search_fields = ("name", "key", "origins__origin")
    list_display = ("name", "is_on", "key", "origins_count", "refusals_count", "install_link")
    readonly_fields = ("key", "logo_shown")
    change_form_template = "admin/widget/site/change_form.html"
    save_on_top = False
    fieldsets = (
        (None, {"fields": ("name", "key", "is_on", "assistant_name", "default_language")}),
        (
            "Look",
            {
                "fields": (
                    *("accent", "theme", "logo_shown", "logo_file", "removes_logo"),
                    "full_page",
                )
            },
        ),
        ("Instructions", {"fields": ("instructions",)}),
        (
            "Privacy",
            {
                "fields": (
                    "privacy_url",
                    "contact",
                    "needs_consent",
                    "reads_page",
                    "retention_days",
                )
            },
        ),
        ("Limits", {"fields": ("max_chars", "max_inflight")}),
    )

    class Media:
        css = {"all": ("widget_admin/site.css",)}
        js = (Script("widget_admin/site_form.js", type="module"),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Site]:
        """Sites with the numbers of the list."""
        return (
            super()
            .get_queryset(request)
            .annotate(
                num_origins=Count("origins", distinct=True),
                num_refusals=Count("refusals", distinct=True),
            )
        )

    def get_fieldsets(self, request: HttpRequest, obj: Site | None = None) -> Any:
        """Whoever may only look needs no fields to fill in."""
        fieldsets = super().get_fieldsets(request, obj)
        if self.has_change_permission(request, obj) or obj is None:
            return fieldsets
        unseen = {"logo_file", "removes_logo", "instructions"}
        shown = [
            (title, {"fields": [name for name in options["fields"] if name not in unseen]})
            for title, options in fieldsets
        ]
        return [(title, options) for title, options in shown if options["fields"]]

    @admin.display(description="origins", ordering="num_origins")
    def origins_count(self, site: Site) -> int:
        """How many origins are allowed."""
        return int(getattr(site, "num_origins", 0))

    @admin.display(description="refused", ordering="num_refusals")
    def refusals_count(self, site: Site) -> str:
        """How many origins were refused, with the way to allow them."""
        number = getattr(site, "num_refusals", 0)
        if not number:
            return "0"
        address = reverse("admin:widget_site_change", args=[site.pk]) + "#refused-origins"
        return format_html('<a href="{}">{}</a>', address, number)

    @admin.display(description="tag")
    def install_link(self, site: Site) -> str:
        """The way to the tag."""
        address = reverse("admin:widget_site_install", args=[site.pk])
        return format_html('<a href="{}">Install</a>', address)

    @admin.display(description="logo now")
    def logo_shown(self, site: Site) -> str:
        """The picture as visitors get it."""
        logo = bytes(site.logo) if site.pk else b""
        if not logo:
            return "none"
        address = reverse("widget:site-logo", args=[site.key]) + f"?v={version_of(logo)}"
        return format_html('<img class="site-logo" src="{}" alt="The logo">', address)

    def get_urls(self) -> list[URLPattern]:
        """Our pages come before the usual ones."""
        return self.page_urls() + super().get_urls()

    def save_model(
        self, request: HttpRequest, obj: Site, form: ModelForm[Any], change: Any
    ) -> None:
        """Store the row and what the form holds beside it."""
        super().save_model(request, obj, form, change)
        if form.cleaned_data.get("removes_logo"):
            services.set_logo(obj, b"")
        elif form.cleaned_data.get("logo_file"):
            services.set_logo(obj, form.cleaned_data["logo_file"])
        if "instructions" in form.cleaned_data:
            services.set_instructions(obj, form.cleaned_data["instructions"], request.user)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: Any) -> None:
        """Store origins and texts; an origin that is allowed now is no longer a refused one."""
        super().save_related(request, form, formsets, change)
        services.forget_allowed_refusals(form.instance)

    def response_add(
        self, request: HttpRequest, obj: Site, post_url_continue: Any = None
    ) -> HttpResponse:
        """A new site needs its tag next."""
        address = reverse("admin:widget_site_install", args=[obj.pk])
        link = format_html('Next: <a href="{}">put the tag on your pages</a>.', address)
        self.message_user(request, link, messages.INFO)
        return super().response_add(request, obj, post_url_continue)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """The form with what stands around it."""
        site: Site | None = kwargs.get("obj")
        context["refusals"] = self.refusals_of(site) if site else []
        context["advice"] = advice_for(site) if site else []
        context["can_change_site"] = self.has_change_permission(request, site)
        context["count_url"] = reverse("admin:widget_site_count")
        return super().render_change_form(request, context, *args, **kwargs)
