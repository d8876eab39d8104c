"""The pages of docs/embed.md, and what themes, plugins and tag managers make of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import AnonymousUser
from django.template import Context, Template
from playwright.sync_api import Browser, Page, expect

from tests.browser.chat_page import WATCH_CSP
from tests.browser.widget.embed_pages import EmbedPages, serve_pages
from tests.embed_docs import example, fill
from tests.live import LiveServer

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]
WAIT_MS = 20_000
MAKE_SITE = """
from apps.widget.models import AllowedOrigin, Site
site = Site.objects.create(name="Shop")
AllowedOrigin.objects.create(site=site, origin="{origin}")
print("KEY", site.key)
"""
BLANK = "<!doctype html><html lang='en'><head><title>Shop</title>{head}</head><body>{body}</body>"
CONTEXT_HEADING = "What the page tells the chat"


class Tab:
    """One visit of a host page; ``problems`` and ``requests`` are what it caused."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.problems: list[str] = []
        self.said: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda line: self._note(line.type, line.text))
        page.on("pageerror", lambda error: self.problems.append(f"exception: {error}"))
        page.on("request", lambda request: self.requests.append(request.url))

    def _note(self, kind: str, text: str) -> None:
        self.said.append(text)
        if kind == "error":
            self.problems.append(text)

    @property
    def launcher(self):
        return self.page.locator("corral-chat button.launcher")

    @property
    def box(self):
        return self.page.get_by_role("textbox", name="Your message")

    def works(self) -> None:
        """One launcher, which opens one chat that is on the line."""
        expect(self.launcher).to_have_count(1, timeout=WAIT_MS)
        if self.launcher.get_attribute("aria-expanded") == "false":
            self.launcher.click()
        self.is_online()

    def is_online(self) -> None:
        expect(self.page.locator("corral-chat dialog[open]")).to_have_count(1, timeout=WAIT_MS)
        expect(self.box).to_be_visible(timeout=WAIT_MS)
        expect(self.page.locator("corral-chat").get_by_text("Online")).to_be_visible(
            timeout=WAIT_MS
        )


Visit = Callable[..., Tab]


@pytest.fixture(scope="module")
def pages() -> Iterator[EmbedPages]:
    with serve_pages() as served:
        yield served


@pytest.fixture(scope="module")
def site(server: LiveServer, pages: EmbedPages) -> str:
    """The key of a site that allows the host pages' origin."""
    done = server.manage("shell", "-v", "0", "-c", MAKE_SITE.format(origin=pages.url))
    assert "KEY " in done.stdout, done.stderr
    return done.stdout.split("KEY ")[1].split()[0]


@pytest.fixture
def tabs(browser: Browser) -> Iterator[list[Tab]]:
    """Closes what was opened."""
    opened: list[Tab] = []
    yield opened
    for tab in opened:
        tab.page.context.close()


@pytest.fixture
def visit(browser: Browser, tabs: list[Tab]) -> Visit:
    """Opens an address as a new visitor."""

    def open_page(address: str) -> Tab:
        context = browser.new_context(locale="en-GB")
        context.add_init_script(WATCH_CSP)
        tab = Tab(context.new_page())
        tabs.append(tab)
        tab.page.goto(address)
        return tab

    return open_page


@pytest.fixture
def filled(server: LiveServer, site: str) -> Callable[[str], str]:
    """An example of the documentation for this server."""
    return lambda text: fill(text, chat=server.url, site=site)


@pytest.fixture
def tag(server: LiveServer, site: str) -> str:
    return f'<script src="{server.url}/w/v1.js" data-site="{site}" defer></script>'


def only_asks(tab: Tab, *allowed: str) -> None:
    strangers = [url for url in tab.requests if not url.startswith((*allowed, "blob:"))]
    assert strangers == []


# The pages of the documentation


@pytest.mark.parametrize(
    ("heading", "place"), [("A static site", 0), ("WordPress", 0), (CONTEXT_HEADING, 0)]
)
def test_pages_of_the_documentation(
    heading: str,
    place: int,
    visit: Visit,
    pages: EmbedPages,
    filled: Callable[[str], str],
    server: LiveServer,
) -> None:
    tab = visit(pages.put("/page", filled(example(heading, "html", place))))
    tab.works()
    assert tab.problems == []
    only_asks(tab, pages.url, server.url)


def test_a_static_page_from_the_first_question_to_the_answer(
    visit: Visit, pages: EmbedPages, filled: Callable[[str], str]
) -> None:
    tab = visit(pages.put("/page", filled(example("A static site", "html"))))
    expect(tab.launcher).to_be_visible(timeout=WAIT_MS)
    assert tab.page.evaluate("localStorage.length") == 0
    tab.page.get_by_role("button", name="Ask us").click()
    tab.is_online()
    tab.box.fill("What is Corral?")
    tab.box.press("Enter")
    expect(tab.page.locator("corral-chat .answer--finished")).to_have_count(1, timeout=30_000)
    assert tab.page.context.cookies() == []
    assert tab.problems == []


def test_the_element_in_the_page(
    visit: Visit, pages: EmbedPages, filled: Callable[[str], str]
) -> None:
    tab = visit(pages.put("/page", filled(example("A static site", "html", 1))))
    tab.is_online()
    expect(tab.page.locator("corral-chat")).to_have_count(1)
    expect(tab.launcher).to_be_hidden()
    assert tab.problems == []


def test_a_django_page(visit: Visit, pages: EmbedPages, site: str, server: LiveServer) -> None:
    source = example("A Django site", "django").replace("context=product", "host=host")
    values = {"host": server.url, "product": {"name": "Lamp"}, "user": AnonymousUser()}
    text = Template(source).render(Context(values)).replace("site_0123456789abcdef", site)
    tab = visit(pages.put("/page", text))
    tab.works()
    assert tab.problems == []


def test_a_tag_manager(visit: Visit, pages: EmbedPages, filled: Callable[[str], str]) -> None:
    """The script is inserted by a script: document.currentScript is null then."""
    snippet = filled(example("A tag manager", "html"))
    tab = visit(pages.put("/page", BLANK.format(head="", body=snippet)))
    tab.works()
    assert tab.problems == []


def test_the_lines_for_a_policy(
    visit: Visit, pages: EmbedPages, filled: Callable[[str], str]
) -> None:
    lines = filled(example("Content-Security-Policy", "text")).replace("\n", " ")
    strict = f"default-src 'none'; {lines} require-trusted-types-for 'script'; trusted-types"
    text = filled(example("A static site", "html"))
    tab = visit(pages.put("/page", text, Content_Security_Policy=strict))
    tab.works()
    assert tab.problems == []


def test_a_nonce_covers_what_the_tag_loads(
    visit: Visit, pages: EmbedPages, tag: str, filled: Callable[[str], str]
) -> None:
    lines = filled(example("Content-Security-Policy", "text")).splitlines()
    policy = f"default-src 'none'; script-src 'nonce-abc123'; {lines[1]}"
    text = BLANK.format(head=tag.replace("<script", '<script nonce="abc123"'), body="")
    tab = visit(pages.put("/page", text, Content_Security_Policy=policy))
    tab.works()
    assert tab.problems == []


def test_the_pinned_tag(visit: Visit, pages: EmbedPages, server: LiveServer, site: str) -> None:
    done = server.manage("widget_snippet", site, "--base", server.url)
    pinned = next(line for line in done.stdout.splitlines() if "integrity=" in line)
    tab = visit(pages.put("/page", BLANK.format(head=pinned, body="")))
    tab.works()
    assert tab.problems == []
    changed = pinned.replace('integrity="sha384-', 'integrity="sha384-AAAA')
    tab = visit(pages.put("/page", BLANK.format(head=changed, body="")))
    tab.page.wait_for_load_state("load")
    assert any("digest" in problem for problem in tab.problems), "the browser refuses it"
    expect(tab.launcher).to_have_count(0)


def test_the_look(visit: Visit, pages: EmbedPages, tag: str) -> None:
    style = f"<style>{example('Look', 'css')}</style>"
    tab = visit(pages.put("/page", BLANK.format(head=style + tag, body="")))
    expect(tab.launcher).to_be_visible(timeout=WAIT_MS)
    expect(tab.launcher).to_have_css("background-color", "rgb(124, 58, 237)")
    expect(tab.launcher).to_have_css("border-radius", "8px")
    window, box = tab.page.viewport_size, tab.launcher.bounding_box()
    assert window is not None and box is not None
    assert round(window["width"] - box["x"] - box["width"]) == 32
    assert round(window["height"] - box["y"] - box["height"]) == 96
    tab.works()
    assert tab.problems == []


def test_commands_wait_for_the_script(visit: Visit, pages: EmbedPages, tag: str) -> None:
    line = example("Commands", "html")
    head = f"{line}<script>Corral('ask', 'How much is it?')</script>{tag}"
    tab = visit(pages.put("/page", BLANK.format(head=head, body="")))
    tab.is_online()
    expect(tab.box).to_have_value("How much is it?")
    assert tab.problems == []


def test_what_the_page_tells_is_shown_first(
    visit: Visit, pages: EmbedPages, filled: Callable[[str], str]
) -> None:
    tab = visit(pages.put("/page", filled(example(CONTEXT_HEADING, "html"))))
    tab.works()
    line = tab.page.locator("corral-chat .context")
    expect(line).to_contain_text("Product: Lamp, Price: 9.50")
    line.get_by_role("button").click()
    expect(line).to_be_hidden()


@pytest.mark.parametrize(
    "told", ["{", "[]", "null", '"x"', '{"a": {"b": 1}, "c": null}', '{"__proto__": {"x": 1}}']
)
def test_a_broken_context_breaks_nothing(
    visit: Visit, pages: EmbedPages, tag: str, told: str
) -> None:
    head = tag.replace("<script", f"<script data-context='{told}'")
    tab = visit(pages.put("/page", BLANK.format(head=head, body="")))
    tab.works()
    expect(tab.page.locator("corral-chat .context")).to_be_hidden()
    assert tab.problems == []


def test_hostile_context_is_only_text(
    visit: Visit, pages: EmbedPages, server: LiveServer, site: str
) -> None:
    value = "<img src=x onerror=alert(1)></script><script>alert(2)</script>'\""
    head = f"""<script>
      var tag = document.createElement("script");
      tag.src = "{server.url}/w/v1.js";
      tag.dataset.site = "{site}";
      tag.dataset.context = {json.dumps(json.dumps({"a": value})).replace("<", chr(92) + "u003c")};
      document.head.append(tag);
    </script>"""
    tab = visit(pages.put("/page", BLANK.format(head=head, body="")))
    tab.works()
    expect(tab.page.locator("corral-chat .context")).to_contain_text(value)
    expect(tab.page.locator("corral-chat img")).to_have_count(0)
    assert tab.problems == []
    only_asks(tab, pages.url, server.url)


# What optimisers make of a tag


@pytest.mark.parametrize("where", ["head", "body"])
@pytest.mark.parametrize("how", ["", "async", 'type="module"'])
def test_wherever_and_however_it_stands(
    visit: Visit, pages: EmbedPages, tag: str, where: str, how: str
) -> None:
    parts = {"head": "", "body": ""} | {where: tag.replace("defer", how)}
    tab = visit(pages.put("/page", BLANK.format(**parts)))
    tab.works()
    assert tab.problems == []


def test_delayed_until_the_first_click(visit: Visit, pages: EmbedPages, tag: str) -> None:
    """As plugins do that keep scripts from running: another type first, a copy of the tag later."""
    body = (
        tag.replace("<script", '<script type="text/delayed"').replace(" src=", " data-src=")
        + """<script>document.addEventListener("click", () => {
          const late = document.querySelector("[type='text/delayed']");
          const copy = document.createElement("script");
          for (const { name, value } of late.attributes)
            if (name !== "type") copy.setAttribute(name.replace("data-src", "src"), value);
          late.replaceWith(copy);
        }, { once: true })</script><h1>Shop</h1>"""
    )
    tab = visit(pages.put("/page", BLANK.format(head="", body=body)))
    tab.page.wait_for_load_state("networkidle")
    expect(tab.page.locator("corral-chat")).to_have_count(0)
    tab.page.get_by_role("heading").click()
    tab.works()
    assert tab.problems == []


@pytest.mark.parametrize("how", ["file", "inline"])
def test_combined_into_another_script(
    visit: Visit, pages: EmbedPages, server: LiveServer, site: str, how: str
) -> None:
    status, body = server.get(f"/w/v1.js?site={site}")
    assert status == 200
    text = f"var before = 1;\n{body.decode()};\nvar after = 2;"
    pages.put("/all.js", text)
    head = '<script src="/all.js" defer></script>' if how == "file" else f"<script>{text}</script>"
    tab = visit(pages.put("/page", BLANK.format(head=head, body="")))
    tab.works()
    assert tab.page.evaluate("before + after") == 3
    assert tab.problems == []


def test_standing_twice(visit: Visit, pages: EmbedPages, tag: str) -> None:
    other = tag.replace("v1.js", "v1.js?ver=6.5").replace("defer", "async")
    tab = visit(pages.put("/page", BLANK.format(head=tag, body=tag + other)))
    tab.works()
    expect(tab.page.locator("corral-chat")).to_have_count(1)
    tab.page.evaluate(
        "source => new Promise(done => {"
        "const again = document.createElement('script');"
        "again.src = source; again.onload = done; document.head.append(again); })",
        tag.split('"')[1],
    )
    tab.page.wait_for_load_state("networkidle")
    expect(tab.page.locator("corral-chat")).to_have_count(1)
    assert tab.problems == []


# Where it cannot work, it says so


def test_a_page_opened_from_a_file(
    visit: Visit, tmp_path: Path, filled: Callable[[str], str]
) -> None:
    page = tmp_path / "page.html"
    page.write_text(filled(example("A static site", "html")))
    says_why(visit(page.as_uri()))


def test_a_sandboxed_frame(visit: Visit, pages: EmbedPages, tag: str) -> None:
    text = BLANK.format(head=tag, body="")
    says_why(visit(pages.put("/page", text, Content_Security_Policy="sandbox allow-scripts")))


def says_why(tab: Tab) -> None:
    tab.launcher.click(timeout=WAIT_MS)
    sentence = tab.page.locator("corral-chat .away")
    expect(sentence).to_contain_text("The chat needs a web server", timeout=WAIT_MS)
    assert any(text.startswith("Corral: ") and "web server" in text for text in tab.said)


def test_an_origin_that_is_not_allowed(
    visit: Visit, pages: EmbedPages, tag: str, server: LiveServer
) -> None:
    pages.put("/page", BLANK.format(head=tag, body=""))
    tab = visit(pages.other_url + "/page")
    refused_with(tab, pages.other_url)
    done = server.manage(
        *("shell", "-v", "0", "-c"),
        "from apps.widget.models import RefusedOrigin as Refused\n"
        "print(*Refused.objects.values_list('origin', flat=True))",
    )
    assert pages.other_url in done.stdout


def test_a_wrong_key(visit: Visit, pages: EmbedPages, tag: str, site: str) -> None:
    wrong = tag.replace(site, "site_" + "0" * 16)
    refused_with(visit(pages.put("/page", BLANK.format(head=wrong, body=""))), "use site_00000")


def refused_with(tab: Tab, reason: str) -> None:
    """Visitors see a page without a chat; the developer reads whom to ask."""
    expect(tab.page.locator("corral-chat[hidden]")).to_have_count(1, timeout=WAIT_MS)
    expect(tab.launcher).to_be_hidden()
    assert any(text.startswith("Corral: no chat") and reason in text for text in tab.said), tab.said
