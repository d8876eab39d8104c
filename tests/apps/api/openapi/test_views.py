"""The addresses of the description and of the page that shows it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

SCHEMA, DOCS = "/api/v1/schema/", "/api/v1/docs/"


@pytest.mark.parametrize(
    ("address", "accept", "kind"),
    [
        (SCHEMA, "*/*", "json"),
        (SCHEMA, "application/json,*/*", "json"),
        (SCHEMA, "application/yaml", "yaml"),
        (f"{SCHEMA}?format=yaml", "application/json", "yaml"),
        (f"{SCHEMA}?format=json", "application/yaml", "json"),
        (f"{SCHEMA}?format=xml", "*/*", "json"),
    ],
)
def test_json_or_yaml(client: Client, address: str, accept: str, kind: str) -> None:
    answer = client.get(address, headers={"accept": accept})
    assert answer.status_code == 200
    assert answer["Content-Disposition"] == f'inline; filename="corral-api.{kind}"'
    is_json = answer.content.startswith(b"{")
    assert is_json is (kind == "json") and b"/api/v1/pool/" in answer.content
    if is_json:
        assert json.loads(answer.content)["openapi"].startswith("3.")


def test_it_is_not_sent_again(client: Client) -> None:
    etag = client.get(SCHEMA)["ETag"]
    again = client.get(SCHEMA, headers={"if-none-match": etag})
    assert (again.status_code, again.content) == (304, b"")


def test_the_page_has_everything_from_here(client: Client) -> None:
    answer = client.get(DOCS)
    page = answer.content.decode()
    assert answer.status_code == 200 and f'data-schema="{SCHEMA}"' in page
    assert "csrftoken" in answer.cookies, "to try things out"
    assert "//" not in page.replace("<!doctype", "").replace("http://testserver", "")
    assert "unsafe" not in answer["Content-Security-Policy"]
    assert "<style" not in page and "onclick" not in page


@pytest.mark.parametrize("address", [SCHEMA, DOCS])
def test_they_can_be_switched_off(client: Client, settings: Any, address: str) -> None:
    settings.CORRAL_API_DOCS = False
    assert client.get(address).status_code == 404
    assert client.post(address).status_code == 405
