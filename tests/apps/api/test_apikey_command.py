"""``manage.py apikey`` as somebody at a terminal uses it."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import CommandError, call_command

from apps.api.api_keys import BadKey, find_key

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("apikey", *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue().strip()


def test_from_the_first_to_the_last_day_of_a_key() -> None:
    secret = run(
        "create",
        "shop",
        "--scope",
        "chat",
        "--from",
        "192.0.2.0/24",
        "--days",
        "30",
        "--max-running",
        "2",
    )
    assert find_key(secret, address="192.0.2.7").name == "shop"
    listed = run("list")
    assert "shop" in listed and "usable" in listed and secret not in listed
    described = json.loads(run("list", "--json"))[0]
    assert (described["allowed_networks"], described["max_running"]) == (["192.0.2.0/24"], 2)
    run("revoke", "shop")
    assert "revoked" in run("list")
    with pytest.raises(BadKey):
        find_key(secret, address="192.0.2.7")


def test_no_keys_says_how_to_make_one() -> None:
    assert "apikey create" in run("list")


@pytest.mark.parametrize(
    "arguments",
    [
        ("create", " "),
        ("create", "shop", "--days", "0"),
        ("create", "shop", "--from", "x"),
        ("create", "shop", "--tokens-per-hour", "-1"),
        ("revoke", "x"),
    ],
)
def test_wrong_use(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError) as caught:
        run(*arguments)
    assert caught.value.returncode == 2
