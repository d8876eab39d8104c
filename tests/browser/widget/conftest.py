"""A website of another origin with the chat on it, and new visitors for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.widget.host_page import (
    HostPage,
    HostServer,
    host_server,
    page_html,
    strict_policy,
)
from tests.live import LiveServer

MAKE_SITE = """
from apps.widget import services
from apps.widget.models import Site, SiteText
site = Site.objects.create(
    name="Shop", assistant_name="Tea Assistant", contact="help@shop.example", **{fields!r})
SiteText.objects.create(
    site=site, language="en", greeting="What would you like to know about tea?",
    starters=["What is in stock?", "Tell me a story"], consent="We keep what you write.")
services.allow_origin(site, {origin!r})
print("made", site.key, site.identity_secret)
"""
NewHostVisitor = Callable[..., HostPage]


@dataclass(frozen=True)
class Shop:
    """A site of the chat server, and its own web server."""

    host: HostServer
    chat_url: str
    key: str
    identity_secret: str

    @property
    def tag(self) -> str:
        """The tag as the admin page prints it."""
        return f'<script src="{self.chat_url}/w/v1.js" data-site="{self.key}" defer></script>'

    def serve(self, path: str, html: str, *, policy: str | None = None) -> str:
        """Put up a page, under the strict policy unless told otherwise; returns its address."""
        policy = strict_policy(self.chat_url) if policy is None else policy
        self.host.pages[path] = (html, policy)
        return self.host.origin + path


@pytest.fixture(scope="module")
def shop(server: LiveServer, request: pytest.FixtureRequest) -> Iterator[Shop]:
    """The shop's website. ``SITE`` of a file are fields of its site."""
    with host_server() as host:
        fields = getattr(request.module, "SITE", {})
        code = MAKE_SITE.format(fields=fields, origin=host.origin)
        made = server.manage("shell", "-v", "0", "-c", code)
        words = [line.split() for line in made.stdout.splitlines() if line.startswith("made ")]
        assert words, made.stdout + made.stderr
        shop = Shop(host, server.url, key=words[0][1], identity_secret=words[0][2])
        shop.serve("/", page_html(body=shop.tag))
        yield shop


@pytest.fixture
def new_host_visitor(browser: Browser, shop: Shop) -> Iterator[NewHostVisitor]:
    """Makes tabs of new visitors; at the end no page may have reported a problem."""
    pages: list[HostPage] = []

    def make(path: str | None = "/", **options: Any) -> HostPage:
        page = HostPage.new_visitor(browser, shop.host.origin, **options)
        pages.append(page)
        if path is not None:
            page.visit(path)
        return page

    yield make
    problems = [problem for page in pages for problem in page.problems]
    for page in pages:
        page.close()
    assert problems == []
