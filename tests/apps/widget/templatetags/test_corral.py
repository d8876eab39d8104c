"""The template tag prints one script tag that nothing on the page can break out of."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any

import pytest
from csp.middleware import CSPMiddleware
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpResponse
from django.template import Context, Template, TemplateSyntaxError
from django.test import RequestFactory, override_settings

from apps.widget.models import Site

KEY = "site_0123456789abcdef"
HOSTILE = (
    '"><script>alert(1)</script>',
    "' onload='alert(1)",
    "</script><script>alert(1)//",
    "<!--<script>",
    "&quot; autofocus onfocus=alert(1) x=&quot;",
    "\\u0022 \\x22 \\",
    "{{ 7|add:7 }}{% load x %}",
    "__proto__",
    "\u202egnp.exe\u2066",
)


class Tags(HTMLParser):
    """The elements of a text with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def render(arguments: str = f'site="{KEY}"', **values: Any) -> str:
    source = "{% load corral %}{% chat_widget " + arguments + " %}"
    return Template(source).render(Context(values))


def attributes(arguments: str = f'site="{KEY}"', **values: Any) -> dict[str, str | None]:
    tags = Tags(render(arguments, **values))
    assert [tag for tag, _ in tags.found] == ["script"] and tags.text == ""
    return tags.found[0][1]


@pytest.fixture
def about(monkeypatch: pytest.MonkeyPatch) -> Site:
    """An object that everybody may view."""
    monkeypatch.setattr(Site, "chat_fields", ("name", "assistant_name"), raising=False)
    monkeypatch.setattr(Site, "can_chat_view", lambda self, user: True, raising=False)
    return Site(name="Lamp", assistant_name="")


def test_the_tag() -> None:
    assert render() == f'<script src="/w/v1.js" data-site="{KEY}" defer></script>'
    assert attributes(
        "site=shop lang='de_AT' host='https://chat.example.org/'", shop=Site(key=KEY)
    ) == {
        "src": "https://chat.example.org/w/v1.js",
        "data-site": KEY,
        "data-lang": "de-AT",
        "defer": None,
    }


@pytest.mark.parametrize("empty", ["", "site=missing", 'site=""'])
def test_without_a_site_there_is_no_chat(empty: str) -> None:
    assert render(empty) == ""


@pytest.mark.parametrize("arguments", [f'site="{KEY}" colour="red"', "site=x|nonsense"])
def test_what_it_does_not_know(arguments: str) -> None:
    with pytest.raises(TemplateSyntaxError):
        render(arguments)


@pytest.mark.parametrize("hostile", [*HOSTILE, "site_", "SITE_ABC", KEY + "\n"])
def test_hostile_keys_hosts_and_languages(hostile: str) -> None:
    with override_settings(DEBUG=False):
        assert render("site=hostile", hostile=hostile) == ""
        assert render(f'site="{KEY}" host=hostile', hostile=hostile) == ""
    with override_settings(DEBUG=True), pytest.raises(ImproperlyConfigured):
        render("site=hostile", hostile=hostile)
    assert "data-lang" not in attributes(f'site="{KEY}" lang=hostile', hostile=hostile)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_values_stay_values(about: Site, hostile: str) -> None:
    about.name = about.assistant_name = hostile
    found = attributes(f'site="{KEY}" context=about', about=about, user=AnonymousUser())
    assert set(found) == {"src", "data-site", "data-context", "defer"}
    told = json.loads(found["data-context"] or "")
    visible = hostile.replace("\u202e", "").replace("\u2066", "")
    assert told == {"Name": visible, "Assistant name": visible}


def test_the_user_comes_from_the_request_or_the_page(about: Site) -> None:
    arguments = f'site="{KEY}" context=about'
    assert "data-context" not in attributes(arguments, about=about), "nobody looks"
    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    assert json.loads(
        attributes(arguments, about=about, request=request)["data-context"] or ""
    ) == {"Name": "Lamp"}
    assert "data-context" not in attributes(arguments, about={"name": "x"}, request=request)


def test_a_nonce_if_the_page_has_one() -> None:
    request = RequestFactory().get("/")
    policy = {"DIRECTIVES": {"script-src": ["'none'"]}}
    with override_settings(CONTENT_SECURITY_POLICY=policy):
        middleware = CSPMiddleware(lambda _: HttpResponse())
        middleware.process_request(request)
        found = attributes(request=request)["nonce"]
        assert found and found == str(request.csp_nonce)
    assert "nonce" not in attributes(request=RequestFactory().get("/"))
