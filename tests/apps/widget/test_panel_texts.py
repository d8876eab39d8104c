"""The sentences of a language in the panel's script."""

from __future__ import annotations

import json

import pytest

from apps.widget.panel_texts import NotTranslatable, put_texts
from apps.widget.texts import messages


def test_a_sentence_stands_where_it_is_asked_for() -> None:
    script = 'say(gettext("Stopped"), "Stopped");'
    assert put_texts(script, "de") == 'say("Angehalten", "Stopped");'
    assert put_texts(script, "en") == 'say("Stopped", "Stopped");'


def test_a_sentence_nobody_translated_stays() -> None:
    assert put_texts('gettext("No such \\u0022text\\u0022")', "de") == json.dumps('No such "text"')


def test_a_counted_sentence_comes_with_all_its_forms() -> None:
    script = 'ngettext("%(n)s character left", "%(n)s characters left", num)'
    assert put_texts(script, "en") == 'formOf("%(n)s character left", "%(n)s characters left", num)'
    forms = messages("ar")["%(n)s character left"]
    assert len(forms) == 6
    for form in forms:
        assert json.dumps(form, ensure_ascii=False) in put_texts(script, "ar")


def test_marks_of_the_language() -> None:
    marks = '["__LANGUAGE__", "__DIR__", "__PLURALS__"]'
    assert put_texts(marks, "ar") == '["ar", "rtl", "zero one two few many other"]'


@pytest.mark.parametrize(
    "script", ["gettext(text)", "gettext('Stopped')", "gettext(", "ngettext(a)"]
)
def test_a_sentence_must_be_written_out(script: str) -> None:
    with pytest.raises(NotTranslatable):
        put_texts(script, "de")
