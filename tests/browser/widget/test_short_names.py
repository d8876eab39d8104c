"""The names that the panel keeps to itself are none that a browser knows."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from apps.widget.short_names import PROPERTIES

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

# Every name on every object that can be reached from the window in a few steps.
KNOWN = """() => {
  const names = new Set();
  const seen = new Set();
  const look = (thing, depth) => {
    if (!thing || !["object", "function"].includes(typeof thing) || seen.has(thing)) return;
    seen.add(thing);
    for (const name of Object.getOwnPropertyNames(thing)) {
      names.add(name);
      let value;
      try {
        value = thing[name];
      } catch {
        continue;
      }
      if (depth > 0) look(value, depth - 1);
    }
    look(Object.getPrototypeOf(thing), depth);
  };
  look(window, 4);
  return [...names];
}"""


def test_no_name_is_the_browsers(browser: Browser) -> None:
    page = browser.new_page()
    known = set(page.evaluate(KNOWN))
    page.close()
    assert {"addEventListener", "textContent", "replaceChildren"} <= known
    assert not PROPERTIES & known
