"""Scripts as tokens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.widget.javascript import Kind, tokens
from apps.widget.release_making import _sources


def of_kind(kind: Kind, script: str) -> list[str]:
    return [token.text for token in tokens(script) if token.kind is kind]


@pytest.mark.parametrize(
    ("script", "names"),
    [
        ("a(\"b c\", 'd');", ["a"]),
        ("// a\nb /* c */ + d", ["b", "d"]),
        ("a = `b ${c + `d ${e}`} f`; g", ["a", "c", "e", "g"]),
        ("a = `${{ b: {} }}c`; d", ["a", "b", "d"]),
        ("a = /b'[/c]/g.test(d); e", ["a", "test", "d", "e"]),
        ("a = b / c / d", ["a", "b", "c", "d"]),
        ("return /a/", ["return"]),
        ('a["\\"b"].#c', ["a", "c"]),
    ],
)
def test_names(script: str, names: list[str]) -> None:
    assert of_kind(Kind.NAME, script) == names


def test_texts_are_with_their_quotes_and_templates_in_pieces() -> None:
    assert of_kind(Kind.TEXT, 'a("b", `c ${d} e`)') == ['"b"', "c ", " e"]


def test_the_projects_scripts_come_back_whole() -> None:
    for path in _sources():
        if path.suffix == ".js":
            source = path.read_text("utf-8")
            kept = "".join(token.text for token in tokens(source))
            bare = "".join(token.text for token in tokens(kept))
            assert bare == kept and len(kept) > len(source) / 3, path


@given(st.text("ab/`${}'\"\\ \n", max_size=30))
def test_it_ends_whatever_comes(source: str) -> None:
    assert len("".join(token.text for token in tokens(source))) <= len(source)
