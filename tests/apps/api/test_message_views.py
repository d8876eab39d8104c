"""Messages over REST: pages of them, one of them, what was thought of it, its versions."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client

from apps.ai_chat import services
from apps.ai_chat.models import Feedback
from apps.ai_chat.services import Sent
from apps.ai_chat.visitor import visitor_of_id
from tests.apps.api.test_conversations import ANNA, LIST, client_of, error_of, exchange

pytestmark = pytest.mark.django_db


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """What open tabs were told."""
    frames: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(
        "apps.api.message_views.tell_everywhere", lambda key, frame: frames.append((key, frame))
    )
    return frames


def conversation_of(num_questions: int) -> uuid.UUID:
    visitor, sent = visitor_of_id(ANNA), exchange(visitor_of_id(ANNA), "Number 0")
    for number in range(1, num_questions):
        more = services.send_message(
            visitor=visitor,
            cid=uuid.uuid4(),
            generation=uuid.uuid4(),
            text=f"Number {number}",
            conversation_id=sent.conversation,
        )
        end(more)
    return sent.conversation


def end(sent: Sent, text: str = "Hi.") -> None:
    ending = services.Ending(state="complete", reason="stop")  # type: ignore[arg-type]
    services.save_answer(answer_id=sent.answer, text=text, ending=ending)


def post(client: Client, address: str, body: Any = None) -> Any:
    return client.post(address, body or {}, content_type="application/json")


def test_messages_come_in_pages() -> None:
    client, address = client_of(ANNA), f"{LIST}{conversation_of(3)}/messages/"
    first = client.get(address, {"limit": 4}).json()
    assert [row["role"] for row in first["results"]] == ["user", "assistant"] * 2
    assert first["previous"] is None
    rest = client.get(first["next"]).json()
    assert [row["text"] for row in rest["results"]] == ["Number 2", "Hi."]
    assert rest["next"] is None and rest["previous"]
    whole = client.get(f"{LIST}{conversation_of(1)}/").json()["messages"]
    alone = client.get(f"{LIST}{whole[0]['id']}/messages/")
    assert error_of(alone) == (404, "not_found"), "the id of a message is none of a conversation"


def test_hidden_branches_only_when_asked_for(told: Any) -> None:
    sent = exchange(visitor_of_id(ANNA))
    again = services.regenerate(
        visitor=visitor_of_id(ANNA), generation=uuid.uuid4(), message_id=sent.answer
    )
    end(again, "Hello.")
    client, address = client_of(ANNA), f"{LIST}{sent.conversation}/messages/"

    def texts(**query: str) -> list[str]:
        return [row["text"] for row in client.get(address, query).json()["results"]]

    assert texts() == ["Hello?", "Hello."]
    assert texts(all="true") == ["Hello?", "Hi.", "Hello."]
    assert client.get(address, {"all": "perhaps"}).status_code == 400
    hidden = client.get(f"/api/v1/messages/{sent.answer}/").json()
    assert hidden["versions"]["ids"] == [str(sent.answer), str(again.answer)]
    shown = post(client, f"/api/v1/messages/{sent.answer}/show").json()
    assert shown["id"] == str(sent.conversation) and texts() == ["Hello?", "Hi."]
    assert told[-1][1]["changed"] == "messages"


def test_feedback(told: Any) -> None:
    sent = exchange(visitor_of_id(ANNA))
    client, address = client_of(ANNA), f"/api/v1/messages/{sent.answer}/feedback"
    body = {"value": -1, "reason": "wrong", "comment": "It is not in Graz."}
    rated = post(client, address, body).json()
    assert rated["id"] == str(sent.answer) and rated["feedback"] == body
    assert Feedback.objects.get().comment == "It is not in Graz."
    assert told[-1] == (
        visitor_of_id(ANNA).key,
        {"type": "message.updated", "conversation": str(sent.conversation), "message": rated},
    )
    assert post(client, address, {"value": 0}).json()["feedback"] is None
    post(client, address, {"value": 1})
    assert client.delete(address).status_code == 204
    assert not Feedback.objects.exists()


@pytest.mark.parametrize(
    "body", [{}, {"value": 2}, {"value": "x"}, {"value": 1, "comment": "x" * 1001}, [1]]
)
def test_refused_feedback(body: Any) -> None:
    sent = exchange(visitor_of_id(ANNA))
    answer = post(client_of(ANNA), f"/api/v1/messages/{sent.answer}/feedback", body)
    assert error_of(answer) == (400, "invalid")


def test_only_finished_answers_are_judged() -> None:
    sent = exchange(visitor_of_id(ANNA), answer=None)
    client = client_of(ANNA)
    for message in (sent.message, sent.answer):
        answer = post(client, f"/api/v1/messages/{message}/feedback", {"value": 1})
        assert error_of(answer) == (409, "not_editable")


def test_judging_by_cookie_needs_the_csrf_token() -> None:
    sent = exchange(visitor_of_id(ANNA))
    client = client_of(ANNA, checks_csrf=True)
    answer = post(client, f"/api/v1/messages/{sent.answer}/feedback", {"value": 1})
    assert error_of(answer) == (403, "forbidden")
