"""The operator's banner in a widget and on the chat's own page, both open when it is set."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NewVisitor
from tests.browser.widget.conftest import NewHostVisitor
from tests.live import LiveServer

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]
TEXT = "We move on Monday: <b>no answers</b> from 8 to 9."
APPEARS_MS = 15_000
"""It is looked for every five seconds, and a bar waits a moment before it comes."""


def test_it_comes_and_goes_in_both(
    new_host_visitor: NewHostVisitor, new_visitor: NewVisitor, server: LiveServer
) -> None:
    host, own = new_host_visitor(viewport={"width": 390, "height": 700}), new_visitor()
    host.open_chat()
    host.wait_until_online()
    own.wait_until_online()
    bars = [host.page.locator(".bar"), own.page.locator("#bar")]
    for bar in bars:
        expect(bar).to_be_hidden()
    assert server.manage("pool", "banner", TEXT, "--hours", "1").returncode == 0
    for bar in bars:
        expect(bar).to_be_visible(timeout=APPEARS_MS)
        expect(bar).to_have_text(TEXT)
    own.page.reload()
    expect(own.page.locator("#bar")).to_have_text(TEXT, timeout=APPEARS_MS)
    assert server.manage("pool", "banner", "--remove").returncode == 0
    for bar in bars:
        expect(bar).to_be_hidden(timeout=APPEARS_MS)
