"""What makes two wordings the same question, and what does not."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.ai_chat.wording import grams, normalise

SAME = {
    "case and end": ("What are your OPENING hours?", "what are your opening hours"),
    "white space": ("  What\tis\n this ", "what is this"),
    "full width": ("\uff37\uff28\uff21\uff34 is this\uff1f", "what is this"),
    "ligature": ("of\ufb01ce", "office"),
    "sharp s": ("Stra\u00dfe", "STRASSE"),
    "capital sharp s": ("Stra\u1e9ee", "strasse"),
    "composed or not": ("sch\u00f6n", "scho\u0308n"),
    "zero width": ("pass\u200bword\u2060", "password"),
    "byte order mark": ("\ufeffhello", "hello"),
    "soft hyphen": ("Liefer\u00adzeit", "lieferzeit"),
    "direction marks": ("\u202bhello\u202c", "hello"),
    "tatweel": ("\u0645\u0640\u0640\u0631\u062d\u0628\u0627", "\u0645\u0631\u062d\u0628\u0627"),
    "vowel marks": (
        "\u0645\u064e\u0631\u0652\u062d\u064e\u0628\u0627\u064b",
        "\u0645\u0631\u062d\u0628\u0627",
    ),
    "arabic question mark": (
        "\u0645\u0627 \u0647\u0630\u0627\u061f",
        "\u0645\u0627 \u0647\u0630\u0627",
    ),
    "arabic digits": ("\u0661\u0662\u0663", "123"),
    "apostrophes": ("What\u2019s this", "what's this"),
    "acute for an apostrophe": ("what\u00b4s this", "whats this"),
    "quotes": ("\u201eHallo\u201c (Welt)", "hallo welt"),
    "dashes": ("e\u2011mail \u2013 how", "e-mail how"),
    "spanish": ("\u00bfQu\u00e9?", "qu\u00e9"),
}
DIFFERENT = [
    ("C", "C#"),
    ("C", "C++"),
    ("5", "5%"),
    ("5", "-5"),
    ("5", ".5"),
    ("1.5", "15"),
    ("24/7", "247"),
    ("schon", "sch\u00f6n"),
    ("to day", "today"),
    ("\u0628\u0627", "\u0628\u0623"),
    ("can I", "can\u2019t I"),
]


@pytest.mark.parametrize("name", SAME)
def test_the_same_question(name: str) -> None:
    one, other = SAME[name]
    assert normalise(one) == normalise(other) != ""


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_another_question(one: str, other: str) -> None:
    assert normalise(one) != normalise(other)


@pytest.mark.parametrize("text", ["", " ", "?!...", "\u200b\u200b", "\u0640", "\x00\x01", "\u061f"])
def test_nothing_in_it(text: str) -> None:
    assert normalise(text) == ""


@settings(max_examples=400, deadline=None)
@given(st.text(st.characters(), max_size=60))
def test_the_form_is_its_own_form(text: str) -> None:
    form = normalise(text)
    assert normalise(form) == form
    assert normalise(unicodedata.normalize("NFD", form)) == form
    assert form == " ".join(form.split())
    assert not {unicodedata.category(char) for char in form} & {"Cc", "Cf", "Cs"}


def test_long_texts_take_little_time() -> None:
    started = time.perf_counter()
    for piece in ("\u0301", "\ufdfa", "?", "-", "a'", "\u0640", "\u202e"):
        normalise(piece * 4000)
    assert time.perf_counter() - started < 2


def test_pieces_know_where_words_begin_and_end() -> None:
    assert grams("ab cd") == {" ab", "ab ", " cd", "cd "}
    assert grams("") == frozenset()
