"""Finding sites, judging origins, and what is kept of refused ones."""

from __future__ import annotations

import logging

import pytest

from apps.widget import refusals, services
from apps.widget.errors import BadOrigin, BadToken, OriginRefused, SiteOff, UnknownSite
from apps.widget.models import AllowedOrigin, RefusedOrigin, Site
from tests.apps.widget.conftest import SHOP

pytestmark = pytest.mark.django_db
EVIL = "https://evil.example"


def refuse(site: Site, origin: str = EVIL) -> OriginRefused:
    with pytest.raises(OriginRefused) as caught:
        services.check_origin(site, origin)
    return caught.value


@pytest.mark.parametrize("key", ["", "site_unknown", "x" * 100, "ключ", "\0", None, 5, b"x"])
def test_unknown_sites(site: Site, key: str) -> None:
    with pytest.raises(UnknownSite):
        services.find_site(key)
    assert services.find_site(site.key) == site


def test_a_site_is_found_without_its_logo(site: Site) -> None:
    assert "logo" in services.find_site(site.key).get_deferred_fields()


def test_switched_off(site: Site) -> None:
    services.check_is_on(site)
    with pytest.raises(SiteOff):
        services.check_is_on(Site(is_on=False))


def test_origins_of_a_site(site: Site) -> None:
    other = Site.objects.create(name="Other")
    services.check_origin(site, SHOP)
    services.check_origin(site, SHOP + ":443")
    assert services.is_origin_allowed(site, SHOP)
    assert not services.is_origin_allowed(other, SHOP)
    assert services.site_of_origin(SHOP) == site
    assert services.site_of_origin(EVIL) is None and services.site_of_origin("null") is None
    assert not RefusedOrigin.objects.exists(), "asking leaves no trace"


def test_wildcard(site: Site) -> None:
    services.allow_origin(site, "https://*.example.com")
    services.check_origin(site, "https://a.b.example.com")
    assert services.site_of_origin("https://a.b.example.com") == site
    refuse(site, "https://example.com")


def test_a_wildcard_written_past_the_form_allows_nothing(site: Site) -> None:
    for entry in ("*", "https://*", "https://*.org", "null"):
        AllowedOrigin.objects.create(site=site, origin=entry)
    for origin in (EVIL, "https://any.org", "null"):
        refuse(site, origin)


def test_refusal_says_how_to_mend_it_and_is_kept(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        error = refuse(site)
    assert error.origin == EVIL and EVIL in error.text and "admin" in error.text
    assert RefusedOrigin.objects.get().origin == EVIL
    assert site.key in caplog.text and EVIL in caplog.text


@pytest.mark.parametrize("origin", ["null", "file://", "file:///home/me/page.html"])
def test_pages_from_files_are_told_so(site: Site, origin: str) -> None:
    error = refuse(site, origin)
    assert "file" in error.text and "http" in error.text
    assert RefusedOrigin.objects.get().origin == "null"


@pytest.mark.parametrize("origin", ["", "x" * 500, "https://a b", "https://a/<script>", "\x00"])
def test_noise_is_refused_without_a_trace(
    site: Site, origin: str, caplog: pytest.LogCaptureFixture
) -> None:
    refuse(site, origin)
    assert not RefusedOrigin.objects.exists()
    assert caplog.text == ""


def test_refusals_are_counted_but_not_written_each_time(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now = 1000.0
    monkeypatch.setattr(refusals.time, "monotonic", lambda: now)
    for _ in range(5):
        refuse(site)
    assert RefusedOrigin.objects.get().num_tries == 1
    now += refusals.WRITE_EVERY_S
    refuse(site)
    assert RefusedOrigin.objects.get().num_tries == 6
    assert len(caplog.records) == 1, "logged once in a while"
    now += refusals.LOG_EVERY_S
    refuse(site)
    assert len(caplog.records) == 2


def test_a_flood_of_origins_is_bounded(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now = 1000.0
    monkeypatch.setattr(refusals.time, "monotonic", lambda: now)
    own = "https://www.example.org"
    for minute in range(3):
        now = 1000.0 + 61 * minute
        for _ in range(3):
            refuse(site, own)
            now += refusals.WRITE_EVERY_S
        for number in range(100):
            refuse(site, f"https://{minute}-{number}.evil.example")
    assert len(caplog.records) <= refusals.MAX_LOGS_PER_HOUR
    assert RefusedOrigin.objects.count() == refusals.MAX_ROWS_PER_SITE
    assert RefusedOrigin.objects.get(origin=own).num_tries == 9, "what is tried often stays"


def test_the_book_is_bounded() -> None:
    book = refusals.RefusalBook()
    written = [book.note(1, f"https://{number}.example")[0] for number in range(3000)]
    assert 0 < sum(written) <= refusals.MAX_WRITES_PER_MINUTE
    assert len(book._pairs) <= refusals._MAX_PAIRS


def test_allowing_takes_off_what_is_covered(site: Site) -> None:
    for origin in ("https://a.example.com", "https://b.example.com", EVIL, "null"):
        refuse(site, origin)
    row = services.allow_origin(site, "https://*.EXAMPLE.com/")
    assert row.origin == "https://*.example.com"
    assert services.allow_origin(site, "https://*.example.com") == row, "twice is once"
    assert set(RefusedOrigin.objects.values_list("origin", flat=True)) == {EVIL, "null"}
    with pytest.raises(BadOrigin):
        services.allow_origin(site, "*")


def test_an_origin_taken_off_is_refused(site: Site) -> None:
    services.refuse_origin(site, SHOP)
    refuse(site, SHOP)


def test_site_of_a_token(site: Site) -> None:
    token, _ = services.mint_token(site=site, origin=SHOP, visitor_id=services.new_visitor_id())
    assert services.site_of_token(token) == site
    with pytest.raises(BadToken):
        services.site_of_token(token + "x")
    site.delete()
    with pytest.raises(UnknownSite):
        services.site_of_token(token)


def test_a_new_secret_is_another(site: Site) -> None:
    before = site.identity_secret
    assert services.rotate_identity_secret(site) != before
    site.refresh_from_db()
    assert site.identity_secret != before and len(site.identity_secret) >= 32
