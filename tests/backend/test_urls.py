"""Addresses that belong to no app."""

from __future__ import annotations

from django.test import Client


def test_browsers_find_the_icon(client: Client) -> None:
    answer = client.get("/favicon.ico")
    assert answer.status_code == 302
    assert answer["Location"].endswith("ai_chat/icon.svg")
