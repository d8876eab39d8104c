"""The pages of a site in the admin, as staff use them: no inline code, no problems, both looks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.staff_pages import staff_pages
from tests.live import LiveServer
from tests.staff_session import staff_session

pytestmark = [pytest.mark.browser, pytest.mark.e2e]

SETUP = """
import json
from apps.widget import services
from apps.widget.models import RefusedOrigin, Site
site = Site.objects.create(name="Shoe shop", assistant_name="Ada")
services.allow_origin(site, "https://shop.example.org")
RefusedOrigin.objects.create(site=site, origin="https://new.example.org", num_tries=3)
services.set_instructions(site, "Be brief.")
print(json.dumps(site.pk))
"""
LOOKS: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1280, "height": 900}},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}},
}


@pytest.fixture(scope="module")
def site(server: LiveServer) -> int:
    """The number of a site."""
    result = server.manage("shell", "-v", "0", "-c", SETUP)
    assert result.returncode == 0, result.stderr
    return int(json.loads(result.stdout.strip().splitlines()[-1]))


@pytest.fixture(scope="module")
def session(server: LiveServer) -> str:
    """A member of staff who is signed in."""
    return staff_session(server)


@pytest.fixture
def open_admin(browser: Browser, server: LiveServer, session: str, site: int) -> Iterator[Any]:
    """Opens pages of the site as staff; at the end none may have reported a problem."""
    with staff_pages(browser, server.url, session) as open_page:
        yield lambda path, **options: open_page(f"/admin/widget/site/{site}/{path}", **options)


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("path", ["change/", "install/", "instructions/", "identity/"])
def test_pages_fit_and_report_nothing(open_admin: Any, path: str, look: str) -> None:
    page = open_admin(path, **LOOKS[look])
    expect(page.locator("#content h1").first).to_be_visible()
    width = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert width <= 0, "nothing sticks out at the side"


def test_the_look_follows_the_fields(open_admin: Any) -> None:
    page = open_admin("change/")
    preview = page.locator(".look-preview")
    expect(preview.locator(".look-name")).to_have_text("Ada")
    page.fill("#id_assistant_name", "Bo")
    expect(preview.locator(".look-name")).to_have_text("Bo")
    page.fill("#id_accent", "#ffcc00")
    header = preview.locator(".look-header")
    expect(header).to_have_css("background-color", "rgb(255, 204, 0)")
    expect(header).to_have_css("color", "rgb(0, 0, 0)")
    page.fill("#id_accent", "#123456")
    expect(header).to_have_css("color", "rgb(255, 255, 255)")
    page.select_option("#id_theme", "dark")
    expect(preview.locator(".look-panel")).to_have_css("background-color", "rgb(22, 32, 31)")


def test_instructions_are_counted_by_the_model_while_they_are_written(open_admin: Any) -> None:
    page = open_admin("change/")
    number = page.locator(".token-number")
    expect(number).to_have_text(re.compile(r"^\d+ of 200 tokens$"))
    page.fill("#id_instructions", "word " * 250)
    expect(number).to_have_class(re.compile("is-over"))
    page.click("input[name=_continue]")
    expect(page.locator(".errorlist")).to_contain_text("tokens")
    page.fill("#id_instructions", "Never mention <b>shoes</b>.")
    expect(number).not_to_have_class(re.compile("is-over"))
    page.click(".token-count summary")
    expect(page.locator(".whole-prompt")).to_contain_text("Never mention <b>shoes</b>.")


def test_one_click_allows_an_origin(open_admin: Any) -> None:
    page = open_admin("change/")
    page.click("text=Allow this origin")
    expect(page.locator(".messagelist")).to_contain_text("https://new.example.org")
    expect(page.locator("#origins-group input[value='https://new.example.org']")).to_be_visible()
    expect(page.locator("text=Allow this origin")).to_have_count(0)


def test_copying_the_tag(open_admin: Any, server: LiveServer) -> None:
    page = open_admin("install/", permissions=["clipboard-read", "clipboard-write"])
    button = page.locator("[data-copy=tag]")
    button.click()
    expect(button).to_contain_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith(f'<script src="{server.url}/w/v1.js" data-site="site_')
    assert copied.endswith(" defer></script>")
    expect(button).to_contain_text("Copy")


def test_a_new_secret_needs_a_tick_and_is_shown_once(open_admin: Any) -> None:
    page = open_admin("identity/")
    page.click("text=Make a new secret")
    expect(page.locator("#secret")).to_have_count(0)
    page.check("[name=is_confirmed]")
    page.click("text=Make a new secret")
    assert len(page.locator("#secret").inner_text()) >= 32
    page.goto(page.url)
    expect(page.locator("#secret")).to_have_count(0)
