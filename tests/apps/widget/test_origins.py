"""Which origins a list allows: exactly those it names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.widget.errors import BadOrigin
from apps.widget.origins import (
    FILE_SENTENCE,
    NULL_SENTENCE,
    Origin,
    entries_for,
    is_local,
    is_shared,
    parse_entry,
    parse_origin,
)

LABELS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
HOSTS = st.lists(LABELS, min_size=1, max_size=5).map(".".join)
ORIGINS = st.builds(
    Origin, st.sampled_from(["http", "https"]), HOSTS, st.sampled_from([80, 443, 8000, 65535])
)


def allows(entry: str, origin: str) -> bool:
    return parse_entry(entry).covers(parse_origin(origin))


@pytest.mark.parametrize(
    ("entry", "origin"),
    [
        ("https://shop.example.org", "https://shop.example.org"),
        ("https://shop.example.org/", "https://shop.example.org"),
        ("https://shop.example.org/contact?a=b#c", "https://shop.example.org"),
        ("HTTPS://Shop.Example.ORG", "https://shop.example.org"),
        ("https://shop.example.org:443", "https://shop.example.org"),
        ("https://shop.example.org", "https://shop.example.org:443"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("http://[0:0::1]", "http://[::1]"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("https://*.example.org", "https://a.example.org"),
        ("https://*.example.org", "https://a.b.c.example.org"),
        ("https://*.example.org:8443", "https://a.example.org:8443"),
    ],
)
def test_allowed(entry: str, origin: str) -> None:
    assert allows(entry, origin)
    assert str(parse_entry(entry)) in entries_for(parse_origin(origin))


@pytest.mark.parametrize(
    ("entry", "origin"),
    [
        ("https://shop.example.org", "http://shop.example.org"),
        ("https://shop.example.org", "https://shop.example.org:8443"),
        ("https://shop.example.org", "https://example.org"),
        ("https://shop.example.org", "https://shop.example.org.evil.example"),
        ("https://shop.example.org", "https://evil-shop.example.org"),
        ("https://*.example.org", "https://example.org"),
        ("https://*.example.org", "https://evilexample.org"),
        ("https://*.example.org", "https://a.example.org.evil.example"),
        ("https://*.example.org", "http://a.example.org"),
        ("https://*.example.org", "https://a.example.org:8443"),
    ],
)
def test_not_allowed(entry: str, origin: str) -> None:
    assert not allows(entry, origin)
    assert str(parse_entry(entry)) not in entries_for(parse_origin(origin))


@pytest.mark.parametrize(
    "entry",
    [
        *("*", "https://*", "http://*", "https://*.org", "https://*.", "https://**.example.org"),
        *("https://a.*.example.org", "https://*example.org", "http://*.example.org", ""),
        *("example.org", "//example.org", "ftp://example.org", "https://", "https://a b.org"),
        *("https://user@example.org", "https://example.org:0", "https://example.org:99999"),
        *(
            "https://example.org:",
            "https://*.127.0.0.1",
            "https://*.[::1]",
            "https://a[::1]",
            "https://[::1]a",
            "null",
            "file:///a",
        ),
        *("https://exa\nmple.org", "https://exam\\ple.org", "https://-a.org", "https://a..org"),
        "https://" + "a" * 300 + ".org",
        "https://" + ".".join(["a" * 60] * 5),
    ],
)
def test_bad_entries_say_why(entry: str) -> None:
    with pytest.raises(BadOrigin) as caught:
        parse_entry(entry)
    assert caught.value.text.endswith(".")


def test_star_has_its_own_sentence() -> None:
    with pytest.raises(BadOrigin, match="every page of the web"):
        parse_entry("*")


@pytest.mark.parametrize(
    ("origin", "sentence"),
    [("null", NULL_SENTENCE), ("file://", FILE_SENTENCE), ("file:///home/a/b.html", FILE_SENTENCE)],
)
def test_pages_without_an_address_have_their_own_sentences(origin: str, sentence: str) -> None:
    with pytest.raises(BadOrigin) as caught:
        parse_origin(origin)
    assert caught.value.text == sentence


@pytest.mark.parametrize(
    "origin",
    [
        *("", "https://*.example.org", "https://example.org/", "https://example.org/path"),
        *("https://example.org?x", "https://user@example.org", "https://bücher.example"),
        *("https://a.example.org, https://b.example.org", "chrome-extension://abc", "x" * 5000),
        *("https://example.org#", "https://example.org\x00", "https://[::1", "https://a:b"),
    ],
)
def test_no_browser_sends_this(origin: str) -> None:
    with pytest.raises(BadOrigin):
        parse_origin(origin)


@given(ORIGINS)
def test_an_origin_is_read_as_it_is_written(origin: Origin) -> None:
    assert parse_origin(str(origin)) == origin
    assert parse_entry(str(origin)) == origin
    assert origin.covers(origin)


@given(ORIGINS, ORIGINS, st.booleans())
def test_searching_a_list_and_covering_agree(entry: Origin, origin: Origin, star: bool) -> None:
    """The two ways to ask never differ, whatever stands in a list."""
    if star and entry.scheme == "https" and "." in entry.host:
        try:
            entry = parse_entry(str(entry).replace("://", "://*."))
        except BadOrigin:
            return
    assert entry.covers(origin) == (str(entry) in entries_for(origin))


@given(ORIGINS, st.lists(LABELS, min_size=1, max_size=3).map(".".join))
def test_a_wildcard_allows_what_is_below_it_and_nothing_else(origin: Origin, below: str) -> None:
    wildcard = Origin("https", f"{below}.example.org", 443, is_wildcard=True)
    assert parse_origin(f"https://x.{below}.example.org") != wildcard
    assert wildcard.covers(parse_origin(f"https://x.{below}.example.org"))
    assert not wildcard.covers(parse_origin(f"https://{below}.example.org"))
    assert not wildcard.covers(origin)


@given(st.text(max_size=60))
def test_any_text_is_an_origin_or_refused(text: str) -> None:
    for parse in (parse_origin, parse_entry):
        try:
            origin = parse(text)
        except BadOrigin as error:
            assert error.text
        else:
            assert parse(str(origin)) == origin


def test_no_entry_is_as_broad_as_a_top_level_domain() -> None:
    assert entries_for(parse_origin("https://a.b.example.org")) == (
        "https://a.b.example.org",
        "https://*.b.example.org",
        "https://*.example.org",
    )
    assert entries_for(parse_origin("http://a.example.org")) == ("http://a.example.org",)
    assert entries_for(parse_origin("https://127.0.0.1")) == ("https://127.0.0.1",)


def test_what_is_shared_and_what_is_local() -> None:
    assert is_shared(parse_entry("https://*.github.io"))
    assert not is_shared(parse_entry("https://me.github.io"))
    assert not is_shared(parse_entry("https://*.example.org"))
    local = ["http://localhost:3000", "http://127.0.0.1", "http://[::1]", "http://a.localhost"]
    assert all(is_local(parse_origin(origin)) for origin in local)
    assert not is_local(parse_origin("http://localhost.example.org"))
