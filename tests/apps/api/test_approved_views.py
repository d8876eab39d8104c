"""Approved answers over REST: written, found, changed, deleted, and by whom."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.test import Client

from apps.ai_chat import approved_answers
from apps.ai_chat.models import ApprovedAnswer
from apps.widget.models import Site
from tests.apps.api.operators import key_client, staff_client
from tests.apps.api.test_conversations import ANNA, client_of, error_of

pytestmark = pytest.mark.django_db
ANSWERS = "/api/v1/approved-answers/"
HOURS = {"text": "From **nine** to five.", "wordings": ["When are you open?", "Opening hours"]}


def post(client: Client, **values: Any) -> Any:
    return client.post(ANSWERS, values, content_type="application/json")


def patch(client: Client, number: int, **values: Any) -> Any:
    return client.patch(f"{ANSWERS}{number}/", values, content_type="application/json")


def found(text: str, site: Site | None = None) -> str | None:
    """What a visitor who asks this is given."""
    site_id = None if site is None else site.pk
    answer = approved_answers.find_answer(site_id=site_id, language="en", text=text)
    return None if answer is None else answer.text


def test_written_given_changed_and_deleted() -> None:
    client = key_client("pool.admin")
    made = post(client, **HOURS)
    assert made.status_code == 201, made.content
    row = made.json()
    assert (row["language"], row["site"], row["is_on"]) == ("en", None, True)
    assert row["wordings"] == HOURS["wordings"] and found("opening HOURS?") == HOURS["text"]
    changed = patch(client, row["id"], text="All day.", wordings=["Opening hours", "Open now?"])
    assert changed.json()["wordings"] == ["Opening hours", "Open now?"]
    assert found("open now") == "All day." and found("When are you open?") is None
    assert patch(client, row["id"], is_on=False).json()["wordings"] == [
        "Opening hours",
        "Open now?",
    ]
    assert found("open now") is None
    assert client.delete(f"{ANSWERS}{row['id']}/").status_code == 204
    assert error_of(client.get(f"{ANSWERS}{row['id']}/")) == (404, "not_found")
    flags = list(LogEntry.objects.order_by("pk").values_list("action_flag", flat=True))
    assert flags == [ADDITION, CHANGE, CHANGE, DELETION]


def test_staff_are_their_authors() -> None:
    client = staff_client("ai_chat.add_approvedanswer", name="mia")
    post(client, **HOURS)
    assert ApprovedAnswer.objects.get().author.username == "mia"
    assert LogEntry.objects.get().user.username == "mia"


def test_of_a_website() -> None:
    site = Site.objects.create(name="Shop", default_language="de")
    client = key_client("pool.admin")
    row = post(client, **HOURS, site=site.key).json()
    assert (row["site"], row["language"]) == (site.key, "de")
    assert found("Opening hours", site) == HOURS["text"] and found("Opening hours") is None
    moved = patch(client, row["id"], site=None, language="en").json()
    assert moved["site"] is None and found("Opening hours") == HOURS["text"]


def test_listed_and_looked_for() -> None:
    site = Site.objects.create(name="Shop")
    client = key_client("pool.admin")
    first = post(client, **HOURS).json()["id"]
    second = post(client, text="Yes.", wordings=["Do you ship?"], site=site.key).json()["id"]

    def ids(**query: Any) -> list[int]:
        return [row["id"] for row in client.get(ANSWERS, query).json()["results"]]

    assert ids() == [second, first]
    assert ids(site="") == [first] and ids(site=site.key) == [second]
    assert ids(language="de") == [] and ids(is_on="false") == [] and len(ids(is_on="true")) == 2
    assert ids(text="ship") == [second] and ids(text="NINE") == [first]
    page = client.get(ANSWERS, {"limit": 1}).json()
    assert [row["id"] for row in client.get(page["next"]).json()["results"]] == [first]
    answer = client.get(ANSWERS)
    assert client.get(ANSWERS, headers={"if-none-match": answer["ETag"]}).status_code == 304


@pytest.mark.parametrize(
    "values",
    [
        {"text": ""},
        {"text": "x" * 8001},
        {"wordings": []},
        {"wordings": ["?!"]},
        {"wordings": ["x" * 401]},
        {"wordings": ["Open?", "open"]},
        {"wordings": [f"Number {n}" for n in range(41)]},
        {"wordings": "Open?"},
        {"wordings": ["Taken"]},
        {"language": "xx"},
        {"site": "site_no"},
        {"text": "a\x00b"},
    ],
)
def test_what_can_not_be_approved(values: dict[str, Any]) -> None:
    client = key_client("pool.admin")
    assert post(client, text="First.", wordings=["Taken"]).status_code == 201
    assert error_of(post(client, **HOURS | values)) == (400, "invalid")
    assert ApprovedAnswer.objects.count() == 1 and LogEntry.objects.count() == 1


def test_nothing_is_half_changed() -> None:
    client = key_client("pool.admin")
    post(client, text="First.", wordings=["Taken"])
    number = post(client, **HOURS).json()["id"]
    assert error_of(patch(client, number, text="New", wordings=["Taken"]))[0] == 400
    assert client.get(f"{ANSWERS}{number}/").json()["text"] == HOURS["text"]


def test_who_may() -> None:
    number = post(key_client("pool.admin", name="first"), **HOURS).json()["id"]
    for client, reads, writes, deletes in (
        (Client(), 401, 401, 401),
        (client_of(ANNA), 401, 401, 401),
        (key_client("chat", name="chat"), 403, 403, 403),
        (key_client("pool.read", name="read"), 200, 403, 403),
        (staff_client(name="nobody"), 403, 403, 403),
        (staff_client("ai_chat.view_approvedanswer", name="viewer"), 200, 403, 403),
        (staff_client("ai_chat.change_approvedanswer", name="changer"), 200, 200, 403),
    ):
        assert client.get(ANSWERS).status_code == reads
        assert client.get(f"{ANSWERS}{number}/").status_code == reads
        assert patch(client, number, is_on=True).status_code == writes
        assert client.delete(f"{ANSWERS}{number}/").status_code == deletes
        assert post(client, text="x", wordings=["y"]).status_code in (401, 403)


@pytest.mark.parametrize("number", ["0", "7", "9" * 30])
def test_an_unknown_answer(number: str) -> None:
    client = key_client("pool.admin")
    assert error_of(client.get(f"{ANSWERS}{number}/")) == (404, "not_found")
