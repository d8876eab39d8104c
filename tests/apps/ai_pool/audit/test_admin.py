"""The audit log in the admin: read, filtered, taken along; never changed."""

from __future__ import annotations

import csv

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from apps.ai_pool.audit.notes import note
from apps.ai_pool.audit.records import AuditEntry

pytestmark = pytest.mark.django_db
LIST = "admin:ai_pool_auditentry_changelist"


@pytest.fixture
def entries() -> list[AuditEntry]:
    return [
        note(AuditEntry.Kind.STAFF, "olga", "Paused the pool.", subject="pool"),
        note(AuditEntry.Kind.COMMAND, "anna", '=HYPERLINK("http://x")', subject="apikey 1"),
    ]


def staff(*permissions: str) -> Client:
    user = User.objects.create_user("paul", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    AuditEntry.objects.filter(who="paul").delete()
    return client


def test_list_and_filter(entries: list[AuditEntry]) -> None:
    reader = staff("view_auditentry")
    page = reader.get(reverse(LIST)).content.decode()
    assert "Paused the pool." in page and "anna" in page
    page = reader.get(reverse(LIST), {"kind__exact": "command"}).content.decode()
    assert "Paused the pool." not in page and "HYPERLINK" in page
    page = reader.get(reverse(LIST), {"q": "olga"}).content.decode()
    assert "Paused the pool." in page and "HYPERLINK" not in page


def test_nobody_changes_it(entries: list[AuditEntry]) -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    address = reverse("admin:ai_pool_auditentry_change", args=[entries[0].pk])
    assert "Save" not in client.get(address).content.decode()
    assert client.post(address, {"what": "Nothing."}).status_code == 403
    delete = reverse("admin:ai_pool_auditentry_delete", args=[entries[0].pk])
    assert client.post(delete, {"post": "yes"}).status_code == 403
    assert client.get(reverse("admin:ai_pool_auditentry_add")).status_code == 403
    assert "delete_selected" not in client.get(reverse(LIST)).content.decode()
    assert AuditEntry.objects.get(pk=entries[0].pk).what == "Paused the pool."


def test_who_may_see_it(entries: list[AuditEntry]) -> None:
    assert staff("view_poolstatus").get(reverse(LIST)).status_code == 403


def test_export(entries: list[AuditEntry]) -> None:
    """A table in which no cell is a formula."""
    data = {"action": "export", "_selected_action": [entry.pk for entry in entries]}
    answer = staff("view_auditentry").post(reverse(LIST), data)
    assert answer["Content-Disposition"] == 'attachment; filename="audit-log.csv"'
    rows = list(csv.DictReader(answer.getvalue().decode().splitlines()))
    assert [row["who"] for row in rows] == ["anna", "olga"]
    assert rows[0]["what"] == '\'=HYPERLINK("http://x")' and rows[1]["subject"] == "pool"
    assert rows[1]["at"] == entries[0].at.isoformat()
