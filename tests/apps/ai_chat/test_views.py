"""The chat page: its cookie, its data, its headers."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.template.exceptions import TemplateDoesNotExist
from django.template.loader import get_template
from django.test import Client

from apps.ai_chat import views
from apps.ai_chat.visitor import COOKIE_NAME, unsign

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def needs_the_template() -> None:
    try:
        get_template("ai_chat/chat.html")
    except TemplateDoesNotExist:
        pytest.skip("the page is not there")


def test_cookie_is_given_once_and_kept() -> None:
    client = Client()
    first = client.get("/").cookies[COOKIE_NAME]
    assert first["httponly"] and first["samesite"] == "Lax"
    visitor_id = unsign(first.value)
    assert visitor_id is not None
    assert unsign(client.get("/").cookies[COOKIE_NAME].value) == visitor_id
    client.cookies[COOKIE_NAME] = "forged:value"
    assert unsign(client.get("/").cookies[COOKIE_NAME].value) not in (None, visitor_id)


def test_cookie_is_secure_over_https() -> None:
    assert Client().get("/", secure=True).cookies[COOKIE_NAME]["secure"]


def test_page_data(settings: Any) -> None:
    settings.CORRAL_ASSISTANT_NAME = "</script><b>Bob"
    answer = Client().get("/")
    found = re.search(r'<script id="corral-data"[^>]*>(.*?)</script>', answer.content.decode())
    assert found is not None
    assert json.loads(found[1]) == {
        "max_chars": 4000,
        "ws_path": "/ws/chat/",
        "api": "/api/v1/",
        "site": "",
        "is_staff": False,
        "assistant_name": "</script><b>Bob",
        "texts": {"language": "en", "dir": "ltr", "plural": ["one", "other"], "messages": {}},
    }
    assert "csrftoken" in answer.cookies


def test_headers_keep_strangers_out() -> None:
    answer = Client().get("/")
    policy = answer["Content-Security-Policy"]
    assert "default-src 'self'" in policy and "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy and answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    assert "no-store" in answer["Cache-Control"]


def test_model_notice_is_for_staff(monkeypatch: pytest.MonkeyPatch) -> None:
    notice = {"is_demo": True, "sentence": "Only the demo is here."}
    monkeypatch.setattr(views, "model_notice", lambda: notice)
    assert b"Only the demo is here." not in Client().get("/").content
    client = Client()
    client.force_login(User.objects.create_user("boss", is_staff=True))
    answer = client.get("/")
    assert answer.context["model_notice"] == notice
    assert b"Only the demo is here." in answer.content


def test_only_reading() -> None:
    assert Client().post("/").status_code == 405
