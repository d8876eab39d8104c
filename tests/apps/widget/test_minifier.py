"""The minifier in a process of its own."""

from __future__ import annotations

import gzip
import sys

import pytest

from apps.widget.minifier import SCRIPT, STYLE, MinifierFailed, minify, pack


def test_names_inside_a_function_become_short() -> None:
    script = "const run = (() => { const number = 2; return (other) => other * number; })();"
    small, other = minify(SCRIPT, script, "a  =  1;")
    assert "number" not in small and "other" not in small and other == "a=1"


def test_styles() -> None:
    assert minify(STYLE, "a { color: #ffffff; margin: 0px }") == ["a{color:#fff;margin:0}"]


def test_a_script_that_is_none_is_refused() -> None:
    with pytest.raises(MinifierFailed, match="unexpected"):
        minify(SCRIPT, "const = ;")


def test_packed_is_gzip_and_smaller() -> None:
    body = " ".join(f"word{number % 97}" for number in range(3_000)).encode()
    (packed,) = pack(body)
    assert gzip.decompress(packed) == body
    assert len(packed) < len(gzip.compress(body, 9))


def test_this_process_stays_without_them() -> None:
    minify(SCRIPT, "a")
    assert "minify" not in sys.modules and "zopfli" not in sys.modules
