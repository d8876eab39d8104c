"""Which pages follow the visitor's language, and what says so to browsers and caches."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import translation

from apps.ai_chat.errors import PROBLEMS, ChatError, errors_markdown

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def language_of_the_next_test() -> Iterator[None]:
    """A request leaves its language behind until the next one."""
    translation.activate("en")
    yield
    translation.deactivate()


GERMAN = {"HTTP_ACCEPT_LANGUAGE": "de-CH,de;q=0.9,en;q=0.8"}


def test_page_follows_the_browser() -> None:
    answer = Client().get("/", **GERMAN)
    assert answer["Content-Language"] == "de"
    assert {"Accept-Language", "Cookie"} <= set(re.split(r",\s*", answer["Vary"]))
    html = answer.content.decode()
    assert '<html lang="de" dir="ltr"' in html
    assert "Wie kann ich helfen?" in html
    assert (
        '<html lang="ar" dir="rtl"' in Client().get("/", HTTP_ACCEPT_LANGUAGE="ar").content.decode()
    )
    assert (
        '<html lang="en" dir="ltr"'
        in Client().get("/", HTTP_ACCEPT_LANGUAGE="tlh").content.decode()
    )


@pytest.mark.parametrize(
    ("language", "label", "warning"),
    [
        ("en", "AI assistant", "You are talking to an AI. It can be wrong."),
        ("de", "KI-Assistent", "Sie sprechen mit einer KI, die sich irren kann."),
        ("ar", "مساعد ذكاء اصطناعي", "أنت تتحدث إلى ذكاء اصطناعي، وقد يخطئ."),
    ],
)
def test_page_says_that_it_is_an_ai_and_can_be_wrong(
    language: str, label: str, warning: str
) -> None:
    html = Client().get("/", HTTP_ACCEPT_LANGUAGE=language).content.decode()
    assert label in html and warning in html


def test_page_carries_its_catalog_and_no_script() -> None:
    html = Client().get("/", **GERMAN).content.decode()
    data = re.search(r'<script id="corral-data" type="application/json">(.*?)</script>', html)
    assert data
    texts = json.loads(data[1])["texts"]
    assert texts["language"] == "de" and "Angehalten" in texts["messages"].values()
    assert all(
        'src="' in tag or "application/json" in tag for tag in re.findall("<script.*?>", html)
    )


def test_choice_is_kept_over_the_browsers_wish() -> None:
    client = Client()
    answer = client.post("/language/", {"language": "ar", "next": "/?c=1"}, **GERMAN)
    assert (answer.status_code, answer["Location"]) == (302, "/?c=1")
    cookie = answer.cookies["corral_language"]
    assert cookie["httponly"] and cookie["samesite"] == "Lax"
    assert 'lang="ar" dir="rtl"' in client.get("/", **GERMAN).content.decode()


def test_choice_leads_nowhere_else_and_needs_our_form() -> None:
    answer = Client().post("/language/", {"language": "de", "next": "https://evil.example/"})
    assert answer["Location"] == "/"
    refused = Client(enforce_csrf_checks=True).post("/language/", {"language": "de"})
    assert refused.status_code == 403
    unknown = Client().post("/language/", {"language": "../../x", "next": "/"})
    assert "corral_language" not in unknown.cookies


def test_staff_pages_are_english(admin_client: Client) -> None:
    html = admin_client.get("/admin/", **GERMAN).content.decode()
    assert "Site administration" in html and "Website-Verwaltung" not in html
    assert User.objects.filter(is_staff=True).exists()
    assert Client().get("/", **GERMAN)["Content-Language"] == "de"


def test_errors_come_in_the_askers_language() -> None:
    for language, start in (("en", "Please write"), ("de", "Bitte schreiben"), ("ar", "يُرجى")):
        answer = Client().patch(
            "/api/v1/conversations/00000000-0000-0000-0000-000000000000/",
            data="{}",
            content_type="application/json",
            HTTP_ACCEPT_LANGUAGE=language,
        )
        assert answer["Content-Language"] == language
        with translation.override(language):
            assert ChatError("empty").text.startswith(start)


def test_every_error_reads_in_every_language() -> None:
    """A translation that names a place the error does not have would break here."""
    english = errors_markdown()
    for language in ("de", "ar"):
        with translation.override(language):
            for code in PROBLEMS:
                text = ChatError(code, n=3, why="x", type="y").text
                assert text and "{" not in text
            assert errors_markdown() != english
