"""``manage.py apikey`` as somebody at a terminal uses it."""

from __future__ import annotations

import io
import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone

from apps.api.api_keys import BadKey, find_key
from apps.api.models import ApiKey

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
    assert "shop" in listed and "until 20" in listed and secret not in listed
    described = json.loads(run("list", "--json"))[0]
    assert (described["allowed_networks"], described["max_running"]) == (["192.0.2.0/24"], 2)
    run("revoke", "shop")
    assert "revoked" in run("list")
    with pytest.raises(BadKey):
        find_key(secret, address="192.0.2.7")


def test_a_key_is_changed_and_stays_the_same() -> None:
    secret = run("create", "shop", "--from", "192.0.2.0/24", "--days", "30")
    run("change", "shop", "--tokens-per-hour", "5", "--scope", "pool.read", "--anywhere")
    key = find_key(secret, address="198.51.100.1")
    assert (key.tokens_per_hour, key.scopes, key.max_running) == (5, ["pool.read"], 4)
    described = json.loads(run("change", "shop", "--rename", "store", "--no-end", "--json"))
    assert (described["name"], described["expires_at"]) == ("store", None)
    assert run("change", "store", "--tokens-per-hour", "5") == "It is so already."


def test_a_key_gets_another_secret() -> None:
    first = run("create", "shop", "--max-running", "2")
    second = json.loads(run("rotate", "shop", "--keep-hours", "2", "--json"))
    assert find_key(first, address="").max_running == 2, "for two hours yet"
    assert find_key(second["key"], address="").name == "shop"
    third = run("rotate", "shop")
    for old in (first, second["key"]):
        with pytest.raises(BadKey):
            find_key(old, address="")
    assert find_key(third, address="").max_running == 2
    run("revoke", "shop")
    with pytest.raises(CommandError, match="revoked"):
        run("rotate", "shop")


def test_a_kept_secret_ends() -> None:
    first = run("create", "shop")
    run("rotate", "shop", "--keep-hours", "1")
    ApiKey.objects.update(former_until=timezone.now() - timedelta(seconds=1))
    with pytest.raises(BadKey):
        find_key(first, address="")


def test_a_made_key_as_json_has_an_owner(admin_user: User) -> None:
    made = json.loads(run("create", "shop", "--json", "--owner", admin_user.username))
    assert find_key(made["key"], address="").created_by == admin_user
    assert made["created_by"] == admin_user.username
    assert "key" not in json.loads(run("list", "--json"))[0]


def test_no_keys_says_how_to_make_one() -> None:
    assert "apikey create" in run("list")


@pytest.mark.parametrize(
    "arguments",
    [
        ("create", " "),
        ("create", "shop", "--days", "0"),
        ("create", "shop", "--from", "x"),
        ("create", "shop", "--tokens-per-hour", "-1"),
        ("create", "shop", "--max-running", "32768"),
        ("create", "shop", "--owner", "nobody"),
        ("revoke", "x"),
        ("change", "x", "--days", "2"),
        ("rotate", "x"),
    ],
)
def test_wrong_use(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError) as caught:
        run(*arguments)
    assert caught.value.returncode == 2


def test_changing_nothing_is_wrong_use() -> None:
    run("create", "shop")
    with pytest.raises(CommandError, match="what to change"):
        run("change", "shop")


def test_two_keys_do_not_share_a_name() -> None:
    run("create", "shop")
    run("create", "blog")
    with pytest.raises(CommandError, match="already"):
        run("change", "blog", "--rename", "shop")
