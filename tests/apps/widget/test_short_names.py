"""Short names for what nobody else knows."""

from __future__ import annotations

import json
import re

import pytest

from apps.widget.javascript import Kind, tokens
from apps.widget.release_making import _read
from apps.widget.short_names import PROPERTIES, NotShortenable, shorten
from tests.project_files import ROOT

SERVER = (
    "apps/ai_chat/schemas/chat.v1.json",
    "apps/ai_chat/representation.py",
    "apps/widget/config.py",
)


def test_properties_lose_their_names_everywhere() -> None:
    script, _ = shorten("this.isLive = isLive; f({ isLive, a: b.isLive, isLiveToo });", "")
    assert script == "this.c = c; f({ c, a: b.c, isLiveToo });"


def test_classes_that_both_spell_become_short() -> None:
    script, style = shorten('make("box__text wide", "box__lost");', ".box__text{} .box__other{}")
    assert script == 'make("a wide", "box__lost");' and style == ".a{} .box__other{}"


def test_custom_properties_of_our_own_become_short() -> None:
    script, style = shorten(
        'set("--corral-height", 1);', "a{height:var(--corral-height);color:var(--corral-fg)}"
    )
    assert (script, style) == ('set("--a", 1);', "a{height:var(--a);color:var(--corral-fg)}")


def test_a_name_that_a_text_spells_is_refused() -> None:
    with pytest.raises(NotShortenable, match="isLive"):
        shorten('this["isLive"] = this.isLive;', "")


def test_nothing_of_the_server_or_the_launcher_is_shortened() -> None:
    words = set()
    for path in SERVER:
        words |= set(re.findall(r"[\"'](\w+)[\"']", (ROOT / path).read_text()))
    assert "seq" in words and not PROPERTIES & words
    for name in ("loader", "launcher"):
        script = tokens(_read(f"widget/js/{name}.js"))
        assert not PROPERTIES & {token.text for token in script if token.kind is Kind.NAME}


def test_the_list_has_no_name_that_is_gone() -> None:
    modules = [*ROOT.glob("apps/*/static/*/js/*.js")]
    used = set(re.findall(r"\w+", " ".join(path.read_text() for path in modules)))
    assert json.dumps(sorted(PROPERTIES - used)) == "[]"
