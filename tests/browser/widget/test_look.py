"""The widget on a page as a shop has it; writes the picture the documentation shows.

``CORRAL_SCREENSHOTS=docs/screenshots`` keeps the picture there.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.widget.conftest import NewHostVisitor, Shop
from tests.browser.widget.fake_chat import FakeChat

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]
SITE = {"accent": "#2f6b4f"}
MAX_PICTURE_BYTES = 200_000
TEXT = "Yes. Orders to Norway leave on Mondays and Thursdays and take four to six days."
NODES = [
    ["p", "Yes. Orders to ", ["strong", "Norway"], " leave twice a week:"],
    ["ul", ["li", "Parcels: 4 to 6 days, 9.50"], ["li", "Letters up to 100 g: 3 days, 4.20"]],
    ["p", "From 60 on, we pay for it."],
]
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Leaf &amp; Kettle</title>
<style>
body {{ margin: 0; font: 17px/1.6 Georgia, serif; color: #26332c; background: #f6f3ec; }}
header {{ display: flex; gap: 32px; padding: 22px 56px; background: #fffdf8; }}
header {{ align-items: baseline; }}
header b {{ font-size: 24px; margin-right: auto; }}
section {{ padding: 56px; max-width: 620px; }}
h1 {{ font-size: 48px; line-height: 1.1; margin: 0 0 16px; font-weight: 500; }}
.shelf {{ display: flex; gap: 20px; padding: 0 56px; }}
.shelf div {{ width: 190px; padding: 20px; background: #fffdf8; border-radius: 6px; }}
.shelf i {{ display: block; height: 110px; border-radius: 4px; margin-bottom: 12px; }}
</style></head><body>
<header><b>Leaf &amp; Kettle</b><span>Teas</span><span>Pots</span><span>Delivery</span></header>
<section><h1>Tea from people we know by name</h1>
<p>Forty gardens, picked by hand, and on your table within a week.</p></section>
<div class="shelf">
<div><i style="background: #a9c2a1"></i>Sencha, first flush<br>14.00</div>
<div><i style="background: #c9a877"></i>Oolong, roasted<br>18.50</div>
<div><i style="background: #8a5a44"></i>Assam, whole leaf<br>9.80</div>
</div>{tag}</body></html>"""


def test_on_a_shops_page(new_host_visitor: NewHostVisitor, shop: Shop, tmp_path: Path) -> None:
    shop.serve("/look", PAGE.format(tag=shop.tag), policy="")
    page = new_host_visitor(
        None, viewport={"width": 1200, "height": 750}, color_scheme="light", reduced_motion="reduce"
    )
    chat = FakeChat(page.page)
    page.visit("/look")
    page.open_chat()
    page.wait_until_online()
    page.ask("Do you ship to Norway?")
    chat.start()
    chat.tell("gen.delta", off=0, text=TEXT)
    chat.tell("gen.block", from_off=0, to_off=len(TEXT), nodes=NODES)
    chat.finish(len(TEXT))
    expect(page.turns.last.locator("li")).to_have_count(2)
    page.page.wait_for_timeout(400)
    path = Path(os.environ.get("CORRAL_SCREENSHOTS") or tmp_path) / "widget.png"
    page.page.screenshot(path=path)
    assert 5_000 < path.stat().st_size < MAX_PICTURE_BYTES
