"""Reads that repeat."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory

from apps.api.etag import etag_of, with_etag


class View:
    """Two reads, of each kind."""

    body: Any = {"a": 1, "b": [2]}
    status = 200

    @with_etag
    def get(self, request: Request) -> Response:
        return Response(self.body, status=self.status)

    @with_etag
    async def get_later(self, request: Request) -> Response:
        return Response(self.body, headers={"Vary": "Accept"})


def asked(known: str = "") -> Request:
    return Request(APIRequestFactory().get("/", headers={"if-none-match": known} if known else {}))


def test_the_same_has_the_same_name() -> None:
    assert etag_of({"a": 1, "b": 2}) == etag_of({"b": 2, "a": 1}) != etag_of({"a": 1, "b": 3})


@pytest.mark.parametrize("form", ["{}", '"x", {}', "W/{}", "*"])
def test_who_has_it_gets_nothing(form: str) -> None:
    first = View().get(asked())
    etag = first["ETag"].removeprefix("W/") if "W/" in form else first["ETag"]
    again = View().get(asked(form.format(etag)))
    assert (again.status_code, again.data, again["ETag"]) == (304, None, first["ETag"])
    assert again["Cache-Control"] == "private, no-cache" and "Authorization" in again["Vary"]


@pytest.mark.parametrize("known", ["", '"x"', "nonsense", 'W/"', "x" * 5000])
def test_who_has_something_else_gets_it(known: str) -> None:
    answer = View().get(asked(known))
    assert (answer.status_code, answer.data) == (200, View.body)
    assert answer["Cache-Control"] == "private, no-cache"


def test_errors_have_no_name() -> None:
    view = View()
    view.status = 404
    assert "ETag" not in view.get(asked())


async def test_coroutines_too() -> None:
    first = await View().get_later(asked())
    again = await View().get_later(asked(first["ETag"]))
    assert (first.status_code, again.status_code) == (200, 304)
    assert set(first["Vary"].split(", ")) == {"Accept", "Authorization", "Cookie"}
    assert View.get_later.has_etag  # type: ignore[attr-defined]
