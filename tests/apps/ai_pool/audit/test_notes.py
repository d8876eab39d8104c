"""Who changed what from where: the admin's own log, sign-ins, commands, and how long it is kept."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from apps.ai_pool.audit import notes
from apps.ai_pool.audit.notes import note, note_command
from apps.ai_pool.audit.origin import LOCAL
from apps.ai_pool.audit.records import AuditEntry
from apps.widget.models import Site

pytestmark = pytest.mark.django_db
SECRET = "Zebrafinch"


@pytest.fixture
def olga() -> User:
    return User.objects.create_superuser("olga", password="a long pass phrase")


def only() -> AuditEntry:
    return AuditEntry.objects.get()


def log_row(user: User, message: Any, flag: int = CHANGE) -> LogEntry:
    return LogEntry.objects.create(
        user=user,
        content_type=ContentType.objects.get_for_model(Site),
        object_id="3",
        object_repr=f"What a visitor wrote: {SECRET}",
        action_flag=flag,
        change_message=message if isinstance(message, str) else json.dumps(message),
    )


def test_a_change_in_the_admin(olga: User, settings: Settings) -> None:
    """By the real pages, with the block of addresses that the request came from."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": 0}
    client = Client(REMOTE_ADDR="8.8.4.4")
    client.force_login(olga)
    AuditEntry.objects.all().delete()
    data = {"username": "paul", "usable_password": "true"}
    data |= {"password1": "a long pass phrase", "password2": "a long pass phrase"}
    answer = client.post("/admin/auth/user/add/", data)
    assert answer.status_code == 302, answer.content
    entry = only()
    assert (entry.kind, entry.who, entry.place) == ("staff", "olga", "8.8.4.0/24")
    assert entry.what == "Added." and entry.subject.startswith("user ")


def test_names_of_things_are_not_kept(olga: User) -> None:
    """They may quote visitors."""
    log_row(
        olga,
        [
            {"changed": {"fields": ["name", "is open"]}},
            {"added": {"name": "wording", "object": SECRET}},
            {"deleted": {"name": "origin", "object": SECRET}},
        ],
    )
    entry = only()
    assert entry.what == "Changed name, is open. Added wording. Deleted origin."
    assert entry.subject == "site 3" and entry.place == ""
    assert SECRET not in str(entry)


@pytest.mark.parametrize(
    ("message", "flag", "what"),
    [
        ("", DELETION, "Deleted."),
        ("", CHANGE, "Changed."),
        ([{"added": {}}], ADDITION, "Added."),
        ("[ no JSON", CHANGE, "[ no JSON"),
        ([1, {"other": {}}, {"changed": 5}], CHANGE, "Changed."),
        ("Paused\nthe pool.", CHANGE, "Paused the pool."),
        ("x" * 5000, CHANGE, "x" * 500),
    ],
)
def test_whatever_stands_in_the_log(olga: User, message: Any, flag: int, what: str) -> None:
    log_row(olga, message, flag)
    assert only().what == what


def test_a_key_is_told_from_its_owner(olga: User) -> None:
    log_row(olga, "Changed name over the API. By the key Shop 1.2.")
    entry = only()
    assert (entry.kind, entry.who) == ("key", "Shop 1.2")
    assert entry.what == "Changed name over the API."


def test_it_outlives_the_account(olga: User) -> None:
    log_row(olga, "Something.")
    olga.delete()
    assert not LogEntry.objects.exists() and only().who == "olga"


def test_sign_ins_of_staff_alone(olga: User) -> None:
    visitor = User.objects.create_user("eve")
    for user in (olga, visitor):
        client = Client(REMOTE_ADDR="127.0.0.1")
        client.force_login(user)
        client.post("/admin/logout/")
    rows = AuditEntry.objects.order_by("pk").values_list("who", "what", "place")
    assert list(rows) == [("olga", "Signed in.", ""), ("olga", "Signed out.", LOCAL)]


def test_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under the name of whoever is behind sudo, and of nobody there is no name for."""
    monkeypatch.setenv("SUDO_USER", "anna")
    note_command("Paused.", subject="pool")
    assert (only().kind, only().who, only().subject) == ("command", "anna", "pool")

    def fail() -> str:
        raise KeyError

    monkeypatch.delenv("SUDO_USER")
    monkeypatch.setattr(notes.getpass, "getuser", fail)
    note_command("Again.")
    assert AuditEntry.objects.latest("pk").who.startswith("user ")


def test_keys_made_by_command_leave_entries_without_the_key() -> None:
    out = StringIO()
    call_command("apikey", "create", "Shop", stdout=out, stderr=StringIO())
    call_command("apikey", "revoke", "Shop", stdout=StringIO())
    rows = AuditEntry.objects.order_by("pk").values_list("what", flat=True)
    assert list(rows) == ["Made the key Shop.", "Revoked the key Shop."]
    assert out.getvalue().strip() not in str(list(AuditEntry.objects.values()))


def test_a_command_works_without_the_database(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*arguments: Any, **options: Any) -> None:
        raise OperationalError("secret address")

    monkeypatch.setattr(notes, "note", fail)
    with caplog.at_level(logging.WARNING):
        note_command("Paused.")
    assert "could not be written (OperationalError)" in caplog.text
    assert "secret" not in caplog.text


def test_old_entries_are_forgotten(settings: Settings) -> None:
    """After as many days as the setting says; with 0 never."""
    for days in (1, 29, 31):
        entry = note(AuditEntry.Kind.COMMAND, "anna", f"{days}")
        entry.at = timezone.now() - timedelta(days=days)
        entry.save()
    settings.CORRAL_AUDIT_DAYS = 0
    assert notes.forget_old_entries() == 0
    settings.CORRAL_AUDIT_DAYS = 30
    out = StringIO()
    call_command("chat_prune", stdout=out)
    assert "Deleted 1 old entries of the audit log." in out.getvalue()
    assert sorted(AuditEntry.objects.values_list("what", flat=True)) == ["1", "29"]
