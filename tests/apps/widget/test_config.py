"""What the script on a page is told."""

from __future__ import annotations

import json

import pytest
from django.test import override_settings

from apps.widget import services
from apps.widget.models import Site, SiteText
from tests.apps.widget.test_logo import PNG

pytestmark = pytest.mark.django_db
PRIVATE = ("identity_secret", "name", "logo", "id")


@pytest.fixture
def texts(site: Site) -> Site:
    SiteText.objects.create(
        site=site,
        language="en",
        greeting="Hello!",
        starters=["When are you open?"],
        consent="We store chats.",
        away="Call us.",
    )
    SiteText.objects.create(site=site, language="de", greeting="Hallo!", starters=["Offen?"])
    return site


def test_it_is_plain_json_and_tells_no_secret(site: Site) -> None:
    data = services.config(site=site, language="en")
    text = json.dumps(data)
    assert site.identity_secret not in text and site.name not in text
    assert not set(PRIVATE) & set(data)
    assert data["key"] == site.key and data["assistant_name"] == "Ada" and data["is_on"] is True
    assert data["limits"] == {"max_chars": 2000, "max_inflight": 1}
    assert data["retention_days"] == 30 and data["has_logo"] is False


def test_the_visitors_language(texts: Site) -> None:
    german = services.config(site=texts, language="de-AT")
    assert (german["greeting"], german["starters"]) == ("Hallo!", ["Offen?"])
    assert german["text_language"] == "de" and german["language"] == "de"
    assert german["consent"] == "We store chats.", "what binds is said in any language"
    assert german["away"] == "Call us."
    assert german["launcher_label"] == "", "the product's own word"


@pytest.mark.parametrize("language", ["fr", "", "x" * 300, "../../etc", "\x00", "EN_us"])
def test_any_other_language_falls_back(texts: Site, language: str) -> None:
    data = services.config(site=texts, language=language)
    assert data["greeting"] == "Hello!" and data["text_language"] == "en"


def test_a_site_without_texts(site: Site) -> None:
    data = services.config(site=site, language="de")
    assert data["greeting"] == "" and data["starters"] == [] and data["text_language"] == "en"
    assert data["language"] == "de", "the product's own words"


@pytest.mark.parametrize("starters", [None, "text", {"a": 1}, [1, None, "  ", "ok", "x" * 500]])
def test_starters_of_any_shape(site: Site, starters: object) -> None:
    SiteText.objects.create(site=site, language="en", starters=starters or [])
    given = services.config(site=site)["starters"]
    assert all(isinstance(one, str) and 0 < len(one) <= 120 for one in given) and len(given) <= 4


@override_settings(CORRAL_MAX_CHARS=500, CORRAL_MAX_INFLIGHT=1)
def test_limits_of_the_server_come_first(site: Site) -> None:
    site.max_inflight = 4
    assert services.config(site=site)["limits"] == {"max_chars": 500, "max_inflight": 1}


def test_a_logo_has_a_version(site: Site) -> None:
    services.set_logo(site, PNG)
    data = services.config(site=services.find_site(site.key))
    assert data["has_logo"] is True and len(data["logo_version"]) == 12
