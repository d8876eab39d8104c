"""The sentences of a language in the panel's script."""

from __future__ import annotations

import json

import pytest

from apps.widget import panel_texts
from apps.widget.panel_texts import NotTranslatable, put_texts


def test_a_sentence_stands_where_it_is_asked_for() -> None:
    script = 'say(gettext("Stopped"), "Stopped");'
    assert put_texts(script, "de") == 'say("Angehalten", "Stopped");'
    assert put_texts(script, "en") == 'say("Stopped", "Stopped");'


def test_a_sentence_nobody_translated_stays() -> None:
    assert put_texts('gettext("No such \\u0022text\\u0022")', "de") == json.dumps('No such "text"')


def test_marks_of_the_language() -> None:
    assert put_texts('["__LANGUAGE__", "__DIR__"]', "ar") == '["ar", "rtl"]'


def test_arabic_is_sent_in_letters_of_one_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {"now": "\u0627\u0644\u0622\u0646\u060c %(time)s", "ai": "\u0627\u0644 AI"}
    monkeypatch.setattr(panel_texts, "messages", lambda language: texts)
    script = (
        'function spelt(text) {\n  return 1;\n}\nsay(gettext("now"), gettext("ai"), gettext("Go"));'
    )
    sent = put_texts(script, "ar")
    # Places and marks between words stay as they are, and so does what has Latin letters.
    assert sent.endswith('say(spelt("GdBf\u060c %(time)s"), "\u0627\u0644 AI", "Go");')
    assert "function spelt" in sent
    assert (
        put_texts(script, "de")
        == 'say("\u0627\u0644\u0622\u0646\u060c %(time)s", "\u0627\u0644 AI", "Go");'
    )


@pytest.mark.parametrize(
    "script", ["gettext(text)", "gettext('Stopped')", "gettext(", 'ngettext("a", "b", 1)']
)
def test_a_sentence_must_be_written_out(script: str) -> None:
    with pytest.raises(NotTranslatable):
        put_texts(script, "de")
