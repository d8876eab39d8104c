"""From a website's chat to the full page, as a browser goes."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest
from django.test import Client

from apps.ai_chat.visitor import visitor_of_id, visitor_of_widget
from apps.widget import services
from apps.widget.models import Handover, Site
from tests.apps.ai_chat.sockets.site_tab import user_jwt
from tests.apps.api.test_authentication import SHOP, VISITOR_ID, bearer, token_of
from tests.apps.api.test_conversations import ANNA, client_of, error_of, exchange

pytestmark = pytest.mark.django_db
ADDRESS, LIST = "/api/v1/visitor/handover", "/api/v1/conversations/"


@pytest.fixture
def site() -> Site:
    site = Site.objects.create(name="Shop", assistant_name="Ada", accent="#aa3300")
    services.allow_origin(site, SHOP)
    return site


@pytest.fixture
def headers(site: Site) -> dict[str, str]:
    return bearer(token_of(site))


def ask(headers: dict[str, str], **body: Any) -> Any:
    client = Client(enforce_csrf_checks=True)
    return client.post(ADDRESS, body, content_type="application/json", headers=headers)


def code_of(answer: Any) -> str:
    assert answer.status_code == 200, answer.content
    assert answer["Cache-Control"] == "no-store"
    address, _, code = answer.json()["url"].partition("#")
    assert address == "http://testserver/handover/", "the code is where no browser sends it"
    return str(code)


def use(code: str, client: Client | None = None) -> tuple[Client, Any]:
    browser = client or Client()
    return browser, browser.post("/handover/", {"code": code})


def titles(answer: Any) -> list[str]:
    return [row["title"] for row in answer.json()["results"]]


def test_the_visitor_goes_on_where_they_were(site: Site, headers: dict[str, str]) -> None:
    talk = str(exchange(visitor_of_widget(site, VISITOR_ID), "Where are you?").conversation)
    exchange(visitor_of_widget(site, "b" * 32), "Bert's")
    browser, answer = use(code_of(ask(headers, conversation=talk)), client_of(ANNA))
    assert (answer.status_code, answer["Location"]) == (302, f"/?site={site.key}&c={talk}")
    cookie = answer.cookies[f"corral_site_{site.key[5:]}"]
    assert cookie["httponly"] and cookie["samesite"] == "Lax" and not cookie["max-age"]
    page = browser.get(answer["Location"])
    text = page.content.decode()
    assert page.status_code == 200 and "Ada" in text and 'data-accent="#aa3300"' in text
    data = re.search(r'<script id="corral-data"[^>]*>(.*?)</script>', text)
    assert data is not None and json.loads(data[1])["site"] == site.key
    assert titles(browser.get(f"{LIST}?handover={site.key}")) == ["Where are you?"]
    assert browser.get(f"{LIST}{talk}/?handover={site.key}").status_code == 200
    export = re.search(r'href="(/api/v1/visitor/export[^"]*)"', text)
    assert export is not None and "Where are you?" in browser.get(export[1]).content.decode()


def test_our_own_page_stays_who_it_was(site: Site, headers: dict[str, str]) -> None:
    exchange(visitor_of_id(ANNA), "Anna's own")
    exchange(visitor_of_widget(site, VISITOR_ID), "On the website")
    browser, _ = use(code_of(ask(headers)), client_of(ANNA))
    assert titles(browser.get(LIST)) == ["Anna's own"]
    assert titles(browser.get(f"{LIST}?handover={site.key}")) == ["On the website"]
    assert b'"site": ""' in browser.get("/").content


def test_a_code_works_once_and_says_so(site: Site, headers: dict[str, str]) -> None:
    code = code_of(ask(headers))
    assert use(code)[1].status_code == 302
    for wrong in (code, code[:-1], "", "x" * 500):
        browser, answer = use(wrong)
        assert answer.status_code == 403 and not browser.cookies
        assert "Go back to the website" in answer.content.decode()
        assert wrong == "" or wrong not in answer.content.decode()


def test_the_code_is_only_taken_from_our_own_page(site: Site, headers: dict[str, str]) -> None:
    """A page elsewhere cannot make a browser use a code."""
    browser = Client(enforce_csrf_checks=True)
    assert browser.post("/handover/", {"code": code_of(ask(headers))}).status_code == 403
    assert Handover.objects.count() == 1
    assert "form-action 'self'" in browser.get("/handover/")["Content-Security-Policy"]


def test_who_may_not_ask(site: Site, headers: dict[str, str]) -> None:
    talk = str(exchange(visitor_of_widget(site, "b" * 32), "Bert's").conversation)
    assert error_of(ask(headers, conversation=talk)) == (404, "not_found")
    assert error_of(ask({})) == (401, "unauthorised")
    own = client_of(ANNA)
    assert error_of(own.post(ADDRESS, {}, content_type="application/json")) == (403, "forbidden")
    Site.objects.update(full_page=False)
    assert error_of(ask(headers)) == (403, "forbidden")
    Site.objects.update(full_page=True, needs_consent=True)
    assert error_of(ask(headers)) == (403, "forbidden")
    exchange(visitor_of_widget(site, VISITOR_ID), "I agreed")
    assert code_of(ask(headers))


def test_a_page_that_came_by_a_code_makes_no_more_of_them(
    site: Site, headers: dict[str, str]
) -> None:
    browser, _ = use(code_of(ask(headers)))
    address = f"{ADDRESS}?handover={site.key}"
    answer = browser.post(address, {}, content_type="application/json")
    assert error_of(answer) == (403, "forbidden")


def test_writing_by_the_cookie_needs_the_csrf_token(site: Site, headers: dict[str, str]) -> None:
    talk = str(exchange(visitor_of_widget(site, VISITOR_ID), "Keep me").conversation)
    browser, _ = use(code_of(ask(headers)))
    browser.handler.enforce_csrf_checks = True
    address = f"{LIST}{talk}/?handover={site.key}"
    assert browser.delete(address).status_code == 403
    page = browser.get(f"/?site={site.key}")
    token = page.cookies["csrftoken"].value
    assert browser.delete(address, headers={"X-CSRFToken": token}).status_code == 204


def test_a_user_of_the_website_stays_one_and_ends_with_the_jwt(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = ask(bearer(user_jwt(site, lasts_s=600)))
    browser, _ = use(code_of(answer))
    page, api = f"/?site={site.key}", f"{LIST}?handover={site.key}"
    assert browser.get(page).status_code == 200 and browser.get(api).status_code == 200
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 700)
    assert browser.get(page).status_code == 403
    assert error_of(browser.get(api)) == (401, "handover_over")


def test_the_cookie_ends_after_half_a_day(
    site: Site, headers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, _ = use(code_of(ask(headers)))
    now = time.time()
    Site.objects.update(full_page=False)
    assert browser.get(f"/?site={site.key}").status_code == 403, "the owner took it away"
    Site.objects.update(full_page=True)
    for later_s, status in ((11.9 * 3600, 200), (12.1 * 3600, 403)):
        monkeypatch.setattr(time, "time", lambda later_s=later_s: now + later_s)
        assert browser.get(f"/?site={site.key}").status_code == status


def test_a_cookie_is_worth_nothing_for_another_site(site: Site, headers: dict[str, str]) -> None:
    other = Site.objects.create(name="Other")
    browser, _ = use(code_of(ask(headers)))
    value = browser.cookies[f"corral_site_{site.key[5:]}"].value
    browser.cookies[f"corral_site_{other.key[5:]}"] = value
    for key in (other.key, "", "site_x", site.key.upper(), "../x", "x" * 300):
        assert browser.get("/", {"site": key}).status_code == 403
        assert error_of(browser.get(LIST, {"handover": key})) == (401, "handover_over")
