"""A visitor's conversations over REST: theirs alone, in one shape of error."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from apps.ai_chat import services
from apps.ai_chat.models import Conversation, Message
from apps.ai_chat.services import Ending, Sent
from apps.ai_chat.visitor import COOKIE_NAME, Visitor, sign, visitor_of_id, visitor_of_user

pytestmark = pytest.mark.django_db
ANNA, BERT = "a" * 32, "b" * 32
LIST = "/api/v1/conversations/"


def client_of(visitor_id: str, *, checks_csrf: bool = False) -> Client:
    client = Client(enforce_csrf_checks=checks_csrf)
    client.cookies[COOKIE_NAME] = sign(visitor_id)
    return client


def exchange(visitor: Visitor, text: str = "Hello?", answer: str | None = "Hi.") -> Sent:
    sent = services.send_message(
        visitor=visitor, cid=uuid.uuid4(), generation=uuid.uuid4(), text=text
    )
    if answer is not None:
        ending = Ending(
            state=Message.State.COMPLETE,
            reason="stop",
            num_prompt_tokens=9,
            num_cached_tokens=2,
            num_completion_tokens=3,
            queue_ms=1,
            ttft_ms=20,
            gen_ms=300,
            tok_s=10.0,
        )
        services.save_answer(answer_id=sent.answer, text=answer, ending=ending)
    return sent


def error_of(answer: Any) -> tuple[int, str]:
    body = answer.json()
    assert set(body) == {"error"} and set(body["error"]) - {"request_id"} == {"code", "message"}
    assert body["error"]["message"]
    return answer.status_code, body["error"]["code"]


def test_list_is_paginated_and_newest_first() -> None:
    visitor = visitor_of_id(ANNA)
    sent = [exchange(visitor, f"Number {n}") for n in range(3)]
    exchange(visitor_of_id(BERT), "Not mine")
    page = client_of(ANNA).get(LIST, {"limit": 2}).json()
    assert set(page) == {"next", "previous", "results"} and page["previous"] is None
    assert [row["title"] for row in page["results"]] == ["Number 2", "Number 1"]
    assert set(page["results"][0]) == {"id", "title", "updated", "live", "num_unread"}
    exchange(visitor, "Newer")
    rest = client_of(ANNA).get(page["next"]).json()
    assert [row["id"] for row in rest["results"]] == [str(sent[0].conversation)], "not moved"
    back = client_of(ANNA).get(rest["previous"]).json()
    assert [row["title"] for row in back["results"]] == ["Number 2", "Number 1"]


def test_a_page_has_bounds() -> None:
    visitor = visitor_of_id(ANNA)
    for number in range(3):
        exchange(visitor, f"Number {number}")
    client = client_of(ANNA)
    for limit in ("0", "-1", "x", "99999999999999999999"):
        assert len(client.get(LIST, {"limit": limit}).json()["results"]) <= 200


def test_list_is_filtered() -> None:
    visitor, client = visitor_of_id(ANNA), client_of(ANNA)
    old, new = exchange(visitor, "Old shoes"), exchange(visitor, "New coat")
    Conversation.objects.filter(pk=old.conversation).update(
        updated=datetime(2020, 1, 1, tzinfo=UTC)
    )

    def titles(**query: str) -> list[str]:
        return [row["title"] for row in client.get(LIST, query).json()["results"]]

    assert titles(title="SHOES") == ["Old shoes"] and titles(title="hat") == []
    assert titles(since="2021-01-01T00:00:00Z") == ["New coat"]
    assert titles(site="site_x") == [] and titles() == ["New coat", "Old shoes"]
    for query in ({"since": "yesterday"}, {"site": "x" * 99}, {"title": "a\x00b"}):
        assert error_of(client.get(LIST, query)) == (400, "invalid")
    assert new.conversation


def test_who_has_the_newest_is_sent_nothing() -> None:
    sent = exchange(visitor_of_id(ANNA))
    client = client_of(ANNA)
    for address in (
        LIST,
        f"{LIST}{sent.conversation}/",
        f"{LIST}{sent.conversation}/messages/",
        f"/api/v1/messages/{sent.answer}/",
    ):
        answer = client.get(address)
        known = {"if-none-match": answer["ETag"]}
        assert client.get(address, headers=known).status_code == 304, address
        assert client_of(BERT).get(address, headers=known).status_code in (200, 404)
    services.rename_conversation(
        visitor=visitor_of_id(ANNA), conversation_id=sent.conversation, title="Other"
    )
    known = {"if-none-match": client.get(LIST)["ETag"]}
    exchange(visitor_of_id(ANNA))
    assert client.get(LIST, headers=known).status_code == 200


def test_somebody_new_has_nothing() -> None:
    exchange(visitor_of_id(ANNA))
    assert Client().get(LIST).json()["results"] == []
    forged = Client()
    forged.cookies[COOKIE_NAME] = ANNA + ":forged"
    assert forged.get(LIST).json()["results"] == []


def test_conversation_with_its_messages() -> None:
    sent = exchange(visitor_of_id(ANNA))
    body = client_of(ANNA).get(f"{LIST}{sent.conversation}/").json()
    assert body["title"] == "Hello?" and body["live"] is None
    question, answer = body["messages"]
    assert (question["role"], question["text"], question["generation"]) == ("user", "Hello?", None)
    assert answer == {
        "id": str(sent.answer),
        "role": "assistant",
        "text": "Hi.",
        "nodes": [["p", "Hi."]],
        "state": "complete",
        "generation": str(sent.generation),
        "created": answer["created"],
        "parent": str(sent.message),
        "versions": {"index": 0, "ids": [str(sent.answer)]},
        "reason": "stop",
        "trimmed_turns": 0,
        "quality": "",
        "is_approved": False,
        "suggestions": [],
        "context": {},
        "feedback": None,
        "can_continue": False,
        "error": None,
        "usage": {"prompt": 9, "completion": 3, "cached": 2},
        "timing": {"queue_ms": 1, "ttft_ms": 20, "gen_ms": 300, "tok_s": 10.0},
    }


def test_failed_answer_carries_its_sentence() -> None:
    sent = exchange(visitor_of_id(ANNA), answer=None)
    live = client_of(ANNA).get(f"{LIST}{sent.conversation}/").json()
    assert live["live"] == str(sent.generation)
    assert live["messages"][1]["state"] == "streaming"
    ending = Ending(state=Message.State.FAILED, error_code="no_model")
    services.save_answer(answer_id=sent.answer, text="", ending=ending)
    failed = client_of(ANNA).get(f"{LIST}{sent.conversation}/").json()["messages"][1]
    assert failed["error"] == {"code": "no_model", "text": "The assistant has no model yet."}


def test_rename_and_delete() -> None:
    sent = exchange(visitor_of_id(ANNA))
    client, url = client_of(ANNA), f"{LIST}{sent.conversation}/"
    renamed = client.patch(url, {"title": " New  name "}, content_type="application/json")
    assert renamed.json()["title"] == "New name"
    assert client.delete(url).status_code == 204
    assert error_of(client.get(url)) == (404, "not_found")
    assert not Message.objects.exists()


@pytest.mark.parametrize("title", ["", "   ", None, 7 * "x" * 120, {"a": 1}])
def test_refused_titles(title: object) -> None:
    sent = exchange(visitor_of_id(ANNA))
    answer = client_of(ANNA).patch(
        f"{LIST}{sent.conversation}/", {"title": title}, content_type="application/json"
    )
    assert error_of(answer) == (400, "invalid")
    assert Conversation.objects.get().title == "Hello?"


def test_ownership_matrix() -> None:
    """Every method on somebody else's conversation looks exactly like one that never was."""
    sent = exchange(visitor_of_id(ANNA))
    user = User.objects.create_user("user")
    signed_in = Client()
    signed_in.force_login(user)
    boss = Client()
    boss.force_login(User.objects.create_superuser("boss"))
    for client in (client_of(BERT), signed_in, boss):
        for url in (f"{LIST}{sent.conversation}/", f"{LIST}{uuid.uuid4()}/"):
            assert error_of(client.get(url)) == (404, "not_found")
            assert error_of(client.delete(url)) == (404, "not_found")
            changed = client.patch(url, {"title": "x"}, content_type="application/json")
            assert error_of(changed) == (404, "not_found")
    assert error_of(Client().get(f"{LIST}{sent.conversation}/")) == (401, "unauthorised")
    assert Conversation.objects.get().title == "Hello?"


def test_signed_in_user_has_conversations_of_their_own() -> None:
    user = User.objects.create_user("user")
    sent = exchange(visitor_of_user(user))
    client = client_of(ANNA)
    client.force_login(user)
    assert [row["id"] for row in client.get(LIST).json()["results"]] == [str(sent.conversation)]


def test_writing_needs_the_csrf_token() -> None:
    sent = exchange(visitor_of_id(ANNA))
    client, url = client_of(ANNA, checks_csrf=True), f"{LIST}{sent.conversation}/"
    assert error_of(client.delete(url)) == (403, "forbidden")
    client.cookies["csrftoken"] = "t" * 32
    assert error_of(client.delete(url)) == (403, "forbidden")
    assert client.delete(url, headers={"X-CSRFToken": "t" * 32}).status_code == 204


def test_errors_have_one_shape() -> None:
    client = client_of(ANNA)
    assert error_of(client.get("/api/v1/nothing/here")) == (404, "not_found")
    assert error_of(client.get("/api/v1/")) == (404, "not_found")
    assert error_of(client.get("/api/v1/conversations/a%0Ab/")) == (404, "not_found")
    assert error_of(client.put(LIST))[0] == 405
    sent = exchange(visitor_of_id(ANNA))
    url = f"{LIST}{sent.conversation}/"
    assert error_of(client.patch(url, "{", content_type="application/json"))[0] == 400
    assert error_of(client.patch(url, "x", content_type="text/plain"))[0] == 415
    assert error_of(client.patch(url, "[]", content_type="application/json")) == (400, "invalid")


def test_too_big_a_body_is_413() -> None:
    sent = exchange(visitor_of_id(ANNA))
    body = {"title": "x" * 70_000}
    url = f"{LIST}{sent.conversation}/"
    answer = client_of(ANNA).patch(url, body, content_type="application/json")
    assert error_of(answer) == (413, "too_big")


def test_lone_surrogate_in_a_title() -> None:
    sent = exchange(visitor_of_id(ANNA))
    url = f"{LIST}{sent.conversation}/"
    answer = client_of(ANNA).patch(url, '{"title": "\\ud800"}', content_type="application/json")
    assert answer.status_code == 400
