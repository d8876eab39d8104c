"""The chat page as a test uses it: what a visitor does and what a visitor sees."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, expect

ANSWER_MS = 30_000
FINE = re.compile("ok|ready")
# Also reported where a violation leaves no line in the console.
WATCH_CSP = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`content security policy: ${event.violatedDirective} ${event.blockedURI}`));
"""


class ChatPage:
    """One tab. ``problems`` collects console errors, exceptions and policy violations."""

    def __init__(self, context: BrowserContext, url: str, problems: list[str]) -> None:
        self.context = context
        self.url = url
        self.problems = problems
        self.page: Page = context.new_page()
        self.page.on("console", self._note_console)
        self.page.on("pageerror", lambda error: problems.append(f"exception: {error}"))

    @classmethod
    def open_as_new_visitor(cls, browser: Browser, url: str, **options: Any) -> ChatPage:
        """A tab of a browser profile of its own, on the chat page and connected."""
        context = browser.new_context(**({"viewport": {"width": 1200, "height": 800}} | options))
        context.add_init_script(WATCH_CSP)
        page = cls(context, url, [])
        page.open("/")
        return page

    def second_tab(self, path: str) -> ChatPage:
        """Another tab of the same visitor."""
        tab = ChatPage(self.context, self.url, self.problems)
        tab.open(path)
        return tab

    def open(self, path: str) -> None:
        """Go to an address of the site and wait until the socket is up."""
        self.page.goto(self.url + path)
        self.wait_until_online()

    def close(self) -> None:
        """Close the whole profile."""
        self.context.close()

    def _note_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.problems.append(f"console: {message.text}")

    # What a visitor does

    def write(self, text: str) -> None:
        """Put a text into the message box."""
        self.box.fill(text)

    def ask(self, text: str) -> None:
        """Write a question and press Enter."""
        self.write(text)
        self.box.press("Enter")

    def edit(self, question: str, text: str) -> None:
        """Change a question that was asked, and send it."""
        turn = self.turns.filter(has_text=question).first
        turn.hover()
        turn.get_by_role("button", name="Edit", exact=True).click()
        self.editor.fill(text)
        self.editor.press("Enter")

    def stop(self) -> None:
        """Press the button in its Stop form."""
        self.page.get_by_role("button", name="Stop", exact=True).click()

    # What a visitor sees

    @property
    def box(self) -> Locator:
        return self.page.get_by_role("textbox", name="Your message")

    @property
    def editor(self) -> Locator:
        """The box in which a question is edited."""
        return self.page.get_by_role("textbox", name="Edit your message")

    def button(self, name: str) -> Locator:
        """The newest button with this name that can be seen."""
        return self.page.get_by_role("button", name=name, exact=True).last

    @property
    def versions(self) -> list[str]:
        """Which versions are shown, such as "2/3", from top to bottom."""
        return self.page.locator(".versions:not([hidden]) .versions__count").all_inner_texts()

    @property
    def turns(self) -> Locator:
        return self.page.locator(".turn")

    @property
    def questions(self) -> list[str]:
        return self.page.locator(".question__text").all_inner_texts()

    @property
    def answer(self) -> str:
        """The text of the newest answer as it is now."""
        return self.turns.last.locator(".answer__text").text_content() or ""

    @property
    def notice(self) -> Locator:
        return self.page.locator("#composer-notice")

    @property
    def history(self) -> Locator:
        return self.page.locator("#history [data-conversation]")

    @property
    def conversation_path(self) -> str:
        """Address of the open conversation."""
        return self.page.evaluate("location.pathname + location.search")

    @property
    def width_of_content(self) -> int:
        return self.page.evaluate("document.documentElement.scrollWidth")

    def wait_until_online(self) -> None:
        """Wait for the welcome of a server that can answer, whatever the language."""
        state = self.page.locator("#status")
        expect(state).to_have_attribute("data-state", FINE, timeout=ANSWER_MS)

    def wait_until_settled(self) -> None:
        """Wait until the page has read everything it wanted to read."""
        self.page.wait_for_load_state("networkidle")

    def wait_for_text(self, num_chars: int = 1) -> str:
        """Wait until the newest answer shows so many characters; returns what it shows."""
        self.page.wait_for_function(
            "num => (document.querySelector('.turn:last-child .answer__text')"
            "?.textContent ?? '').length >= num",
            arg=num_chars,
            timeout=ANSWER_MS,
        )
        return self.answer

    def wait_for_end(self) -> str:
        """Wait until the newest answer is over; returns its text."""
        expect(self.turns.last.locator(".answer")).to_contain_class(
            "answer--finished", timeout=ANSWER_MS
        )
        return self.answer
