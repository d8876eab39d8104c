"""What is wrong with sites, under ids that stay."""

from __future__ import annotations

import pytest

from apps.widget.advice import advice_for
from apps.widget.checks import check_sites
from apps.widget.models import AllowedOrigin, Site, SiteText

pytestmark = pytest.mark.django_db


@pytest.fixture
def good(site: Site) -> Site:
    site.contact, site.privacy_url = "help@example.org", "https://shop.example.org/privacy"
    site.save()
    return site


def ids(site: Site) -> set[str]:
    return {advice.id for advice in advice_for(Site.objects.get(pk=site.pk))}


def test_a_good_site_has_nothing_to_mend(good: Site) -> None:
    assert ids(good) == set()
    assert check_sites(None, databases=["default"]) == []


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("*", "corral.E010"),
        ("https://*.org", "corral.E010"),
        ("https://Shop.example.org/", "corral.E010"),
        ("https://*.github.io", "corral.W011"),
        ("https://*.co.uk", "corral.W011"),
        ("http://www.example.org", "corral.W012"),
    ],
)
def test_origins(good: Site, origin: str, expected: str) -> None:
    AllowedOrigin.objects.create(site=good, origin=origin)
    assert ids(good) == {expected}


def test_local_origins_are_fine(good: Site) -> None:
    AllowedOrigin.objects.create(site=good, origin="http://localhost:8000")
    assert ids(good) == set()


def test_no_origin(good: Site) -> None:
    good.origins.all().delete()
    assert ids(good) == {"corral.W010"}


def test_words(good: Site) -> None:
    Site.objects.update(contact="", privacy_url="", needs_consent=True)
    assert ids(good) == {"corral.W013", "corral.W014", "corral.W015"}
    SiteText.objects.create(site=good, language="en", away="Call us.", consent="We store it.")
    assert ids(good) == {"corral.W015"}


def test_a_site_that_is_off_may_wait(good: Site) -> None:
    good.origins.all().delete()
    Site.objects.update(is_on=False)
    assert ids(good) == set()


def test_messages_name_the_site_and_the_fix(good: Site) -> None:
    AllowedOrigin.objects.create(site=good, origin="*")
    (message,) = check_sites(None, databases=["default"])
    assert message.id == "corral.E010" and message.is_serious()
    assert good.name in message.msg and message.hint


def test_no_database_no_check(good: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    good.origins.all().delete()
    assert check_sites(None) == []
    monkeypatch.setattr("apps.widget.checks._has_tables", lambda alias: False)
    assert check_sites(None, databases=["default"]) == []
