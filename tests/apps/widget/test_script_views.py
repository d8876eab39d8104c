"""How the widget's files are served."""

from __future__ import annotations

import gzip

import pytest
from django.conf import LazySettings
from django.test import Client

from apps.widget.release_making import current_release

FILE = f"/w/{current_release().version}/panel.en.js"


def test_a_file_of_a_release_is_for_good(client: Client) -> None:
    answer = client.get(FILE, headers={"accept-encoding": "gzip, br"})
    assert answer.status_code == 200
    assert gzip.decompress(answer.content) == current_release().files["panel.en.js"]
    assert answer["Content-Type"] == "text/javascript; charset=utf-8"
    assert answer["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Vary"] == "Accept-Encoding"
    assert "Set-Cookie" not in answer


def test_who_has_it_is_told_so(client: Client) -> None:
    etag = client.get(FILE)["ETag"]
    again = client.get(FILE, headers={"if-none-match": etag})
    assert (again.status_code, again.content) == (304, b"")
    packed = client.get(FILE, headers={"if-none-match": etag, "accept-encoding": "gzip"})
    assert packed.status_code == 200


def test_who_cannot_unpack_gets_it_plain(client: Client) -> None:
    answer = client.get(FILE, headers={"accept-encoding": "gzip;q=0"})
    assert answer.content == current_release().files["panel.en.js"]
    assert "Content-Encoding" not in answer


def test_the_loader_is_fresh_within_minutes(client: Client) -> None:
    answer = client.get("/w/v1.js?site=site_0123456789abcdef", headers={"host": "localhost"})
    assert answer["Cache-Control"] == "public, max-age=300"
    assert b'"http://localhost"' in answer.content
    assert b'"site_0123456789abcdef"' in answer.content
    other = client.get("/w/v1.js", headers={"host": "localhost"})
    assert other["ETag"] != answer["ETag"]


@pytest.mark.parametrize(
    "path",
    [
        "/w/0.1.0-000000000000/panel.en.js",
        f"/w/{current_release().version}/nothing.js",
        f"/w/{current_release().version}/..%2fscript.py",
        "/w/nonsense/panel.en.js",
    ],
)
def test_what_is_not_there(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_the_demo_page_is_for_developers(client: Client, settings: LazySettings) -> None:
    settings.DEBUG = False
    assert client.get("/widget/demo/").status_code == 404
    settings.DEBUG = True
    page = client.get('/widget/demo/?site="><script>')
    assert page.status_code == 200
    assert b'"><script>' not in page.content
    assert b"/w/v1.js" in page.content
