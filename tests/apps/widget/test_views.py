"""Configuration and logo over HTTP."""

from __future__ import annotations

import pytest
from django.test import Client

from apps.widget import services
from apps.widget.models import RefusedOrigin, Site, SiteText
from tests.apps.widget.conftest import SHOP
from tests.apps.widget.test_logo import PNG

pytestmark = pytest.mark.django_db
EVIL = "https://evil.example"


def config_url(site: Site) -> str:
    return f"/w/sites/{site.key}/config"


def test_an_allowed_page_reads_the_configuration(site: Site, client: Client) -> None:
    SiteText.objects.create(site=site, language="de", greeting="Grüß Gott!")
    answer = client.get(config_url(site), {"lang": "de"}, headers={"origin": SHOP})
    assert answer.status_code == 200 and answer["Content-Type"] == "application/json"
    assert answer.json()["greeting"] == "Grüß Gott!"
    assert answer["Access-Control-Allow-Origin"] == SHOP
    assert "Access-Control-Allow-Credentials" not in answer
    assert "Origin" in answer["Vary"]
    assert not answer.cookies, "nothing is stored before the first message"


def test_etag(site: Site, client: Client) -> None:
    headers = {"origin": SHOP}
    first = client.get(config_url(site), headers=headers)
    again = client.get(config_url(site), headers=headers | {"if-none-match": first["ETag"]})
    assert again.status_code == 304 and again.content == b""
    assert again["ETag"] == first["ETag"] and "max-age" in again["Cache-Control"]
    assert again["Access-Control-Allow-Origin"] == SHOP
    weak = {"if-none-match": f'"other", W/{first["ETag"]}'}
    assert client.get(config_url(site), headers=headers | weak).status_code == 304
    Site.objects.update(accent="#ff0000")
    changed = client.get(config_url(site), headers=headers | {"if-none-match": first["ETag"]})
    assert changed.status_code == 200 and changed.json()["accent"] == "#ff0000"


@pytest.mark.parametrize("origin", [EVIL, "null", "http://shop.example.org"])
def test_another_page_is_refused_and_noted(site: Site, client: Client, origin: str) -> None:
    answer = client.get(config_url(site), headers={"origin": origin})
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "origin_not_allowed"
    assert "Access-Control-Allow-Origin" not in answer
    assert "Origin" in answer["Vary"], "or a cache would serve this to the right page"
    assert RefusedOrigin.objects.get().origin == origin


def test_without_an_origin_the_page_is_one_of_our_own_host(site: Site, client: Client) -> None:
    assert client.get(config_url(site)).status_code == 403
    services.allow_origin(site, "http://testserver")
    answer = client.get(config_url(site))
    assert answer.status_code == 200
    assert "Access-Control-Allow-Origin" not in answer, "nobody else asked"


def test_unknown_site(site: Site, client: Client) -> None:
    for key in ("site_0000000000000000", "x", "%00", "a" * 200):
        answer = client.get(f"/w/sites/{key}/config", headers={"origin": SHOP})
        assert answer.status_code == 404, key


def test_only_reading(site: Site, client: Client) -> None:
    assert client.post(config_url(site), headers={"origin": SHOP}).status_code == 405


def test_logo(site: Site, client: Client) -> None:
    address = f"/w/sites/{site.key}/logo"
    assert client.get(address).status_code == 404
    services.set_logo(site, PNG)
    answer = client.get(address, headers={"origin": SHOP})
    assert answer.status_code == 200 and answer.content == PNG
    assert answer["Content-Type"] == "image/png"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert answer["Access-Control-Allow-Origin"] == SHOP
    again = client.get(address, headers={"if-none-match": answer["ETag"]})
    assert again.status_code == 304
    assert client.get("/w/sites/site_unknown/logo").status_code == 404


def test_bytes_that_got_past_the_check_are_not_served(site: Site, client: Client) -> None:
    Site.objects.update(logo=b"<script>alert(1)</script>")
    assert client.get(f"/w/sites/{site.key}/logo").status_code == 404
