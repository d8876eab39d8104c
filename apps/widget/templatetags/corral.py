"""The chat's script tag on Django pages: ``{% load corral %}{% chat_widget site="site_..." %}``."""

from __future__ import annotations

import json
import re
from typing import Any

from django import template
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.template.context import Context
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from apps.widget.page_context import page_context
from apps.widget.script import loader_url

register = template.Library()
_SITE_KEY = re.compile(r"site_[a-z0-9]{1,27}")
_LANGUAGE = re.compile(r"auto|[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8})*")
_HOST = re.compile(r"https?://[A-Za-z0-9.\-:\[\]]+")


# The page gives its own variables to every tag under the name "context", and this tag has an
# argument of that name; so it is told apart by position.
@register.simple_tag(takes_context=True, name="chat_widget")
def chat_widget(
    context: Context, /, site: Any = "", lang: str = "", host: str = "", **options: Any
) -> SafeString:
    """The script tag of a site's chat; nothing without a site, as where a setting is left empty.

    ``site``: the key or the Site itself. ``context=object``: tell the chat what its model's
    ``chat_fields`` name, if this user may view it. ``lang``: the chat's language, else the page's.
    ``host``: where the chat is served, if that is another host than this page's.
    """
    about = options.pop("context", None)
    if options:
        raise template.TemplateSyntaxError(f"chat_widget knows no {', '.join(sorted(options))}.")
    key = str(getattr(site, "key", site) or "")
    if not key:
        return SafeString("")
    if not _SITE_KEY.fullmatch(key):
        return _mistake("the site's key looks like site_ with letters and digits behind it.")
    if host and not _HOST.fullmatch(host := host.rstrip("/")):
        return _mistake("host is scheme and name, such as https://chat.example.org.")
    attributes = {"src": loader_url(host), "data-site": key}
    if lang and _LANGUAGE.fullmatch(lang):
        attributes["data-lang"] = lang.replace("_", "-")
    request = context.get("request")
    told = page_context(about, _user(context, request)) if about is not None else {}
    if told:
        attributes["data-context"] = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    # A lazy text, which is false until it is asked for; asking puts it into the policy.
    nonce = getattr(request, "csp_nonce", None)
    if nonce is not None:
        attributes["nonce"] = str(nonce)
    text = format_html_join(" ", '{}="{}"', attributes.items())
    return format_html("<script {} defer></script>", text)


def _user(context: Context, request: Any) -> Any:
    return getattr(request, "user", None) or context.get("user")


def _mistake(what: str) -> SafeString:
    """Tell a developer; a live page does without the chat rather than break."""
    if settings.DEBUG:
        raise ImproperlyConfigured(f"chat_widget: {what}")
    return SafeString("")
