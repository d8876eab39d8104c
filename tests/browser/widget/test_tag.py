"""The tag in all the ways that content systems, tag managers and optimisers put it."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.widget.conftest import NewHostVisitor, Shop
from tests.browser.widget.host_page import HostPage, page_html
from tests.live import LiveServer

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]


def expect_one_working_chat(page: HostPage) -> None:
    expect(page.launcher).to_have_count(1)
    page.open_chat()
    page.wait_until_online()


def forgive_refusal(page: HostPage) -> None:
    """The browser itself reports that a page may not read the settings of a site."""
    refusals = ("blocked by CORS", "ERR_FAILED")
    page.problems[:] = [x for x in page.problems if not any(text in x for text in refusals)]


def test_twice(new_host_visitor: NewHostVisitor, shop: Shop) -> None:
    shop.serve("/twice", page_html(head=shop.tag, body=shop.tag + shop.tag))
    expect_one_working_chat(new_host_visitor("/twice"))


def test_in_the_head_before_there_is_a_body(new_host_visitor: NewHostVisitor, shop: Shop) -> None:
    tag = shop.tag.replace(" defer", "")
    slow = f'<script src="{shop.chat_url}/w/v1.js?slow"></script>'
    shop.serve("/head", page_html(head=tag + slow))
    expect_one_working_chat(new_host_visitor("/head"))


def test_added_later_by_a_tag_manager(new_host_visitor: NewHostVisitor, shop: Shop) -> None:
    """Such a script has no document.currentScript when it is evaluated as text."""
    adder = (
        "const tag = document.createElement('script');"
        f"tag.src = '{shop.chat_url}/w/v1.js'; tag.dataset.site = '{shop.key}';"
        "addEventListener('load', () => document.head.append(tag));"
    )
    shop.serve("/late", page_html(body=f"<script>{adder}</script>"), policy="")
    expect_one_working_chat(new_host_visitor("/late"))


def test_combined_with_other_scripts(
    new_host_visitor: NewHostVisitor, shop: Shop, server: LiveServer
) -> None:
    """An optimiser takes the text of the script, and address and attributes are gone."""
    status, script = server.get(f"/w/v1.js?site={shop.key}")
    assert status == 200
    shop.serve("/all.js", f"var other = 1;\n{script.decode()}\nvar another = 2;", policy="")
    shop.serve("/combined", page_html(body='<script src="/all.js" async></script>'), policy="")
    expect_one_working_chat(new_host_visitor("/combined"))


def test_delayed_until_somebody_moves(new_host_visitor: NewHostVisitor, shop: Shop) -> None:
    delayed = shop.tag.replace("<script ", '<script type="text/delayed" ')
    waker = (
        "addEventListener('pointermove', () => {"
        "const old = document.querySelector('[type=\"text/delayed\"]');"
        "const tag = document.createElement('script');"
        "tag.text = ''; tag.src = old.src; tag.dataset.site = old.dataset.site;"
        "old.replaceWith(tag); }, {once: true});"
    )
    shop.serve("/delayed", page_html(body=f"{delayed}<script>{waker}</script>"), policy="")
    page = new_host_visitor("/delayed")
    expect(page.launcher).to_have_count(0)
    page.page.mouse.move(50, 60)
    expect_one_working_chat(page)


def test_pinned_with_its_integrity(
    new_host_visitor: NewHostVisitor, shop: Shop, server: LiveServer
) -> None:
    code = "from apps.widget.script import pinned_loader; print('pin', *pinned_loader())"
    made = server.manage("shell", "-v", "0", "-c", code)
    _, path, integrity = next(x for x in made.stdout.splitlines() if x.startswith("pin ")).split()
    tag = (
        f'<script src="{shop.chat_url}{path}" integrity="{integrity}" crossorigin="anonymous" '
        f'data-site="{shop.key}" defer></script>'
    )
    shop.serve("/pinned", page_html(body=tag))
    expect_one_working_chat(new_host_visitor("/pinned"))


def test_the_element_where_the_page_wants_it(new_host_visitor: NewHostVisitor, shop: Shop) -> None:
    element = f'<corral-chat site="{shop.key}" mode="inline"></corral-chat>'
    script = f'<script src="{shop.chat_url}/w/v1.js" defer></script>'
    shop.serve("/inline", page_html(body=element + script))
    page = new_host_visitor("/inline")
    expect(page.panel).to_be_visible()
    expect(page.launcher).to_be_hidden()
    # It stands in the text, so nobody asked it to take the focus.
    expect(page.box).not_to_be_focused()
    page.wait_until_online()


def test_a_page_that_is_a_file_gets_a_sentence(
    new_host_visitor: NewHostVisitor, shop: Shop, tmp_path: Path
) -> None:
    file = tmp_path / "index.html"
    file.write_text(page_html(body=shop.tag))
    page = new_host_visitor(None)
    page.page.goto(file.as_uri())
    page.open_chat()
    expect(page.panel).to_contain_text("The chat needs a web server")
    assert any("web server" in warning for warning in page.warnings)
    forgive_refusal(page)


def test_an_unknown_site_shows_no_button(new_host_visitor: NewHostVisitor, shop: Shop) -> None:
    shop.serve("/unknown", page_html(body=shop.tag.replace(shop.key, "site_" + "x" * 16)))
    page = new_host_visitor("/unknown")
    expect(page.page.locator("corral-chat")).to_be_hidden()
    assert any(shop.key not in text and shop.host.origin in text for text in page.warnings)
    forgive_refusal(page)
