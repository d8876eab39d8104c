"""The admin shows numbers to staff, and content only to those permitted."""

from __future__ import annotations

import uuid

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from apps.ai_chat import services
from apps.ai_chat.models import Conversation, Message
from apps.ai_chat.services import Ending
from apps.ai_chat.visitor import visitor_of_id

pytestmark = pytest.mark.django_db
SECRET_QUESTION, SECRET_ANSWER = "Where is the treasure?", "Below the old oak."


@pytest.fixture
def conversation() -> Conversation:
    sent = services.send_message(
        visitor=visitor_of_id("a" * 32),
        cid=uuid.uuid4(),
        generation=uuid.uuid4(),
        text=SECRET_QUESTION,
    )
    ending = Ending(state=Message.State.COMPLETE, reason="stop", num_completion_tokens=4711)
    services.save_answer(answer_id=sent.answer, text=SECRET_ANSWER, ending=ending)
    return Conversation.objects.get()


def staff(*permissions: str) -> Client:
    user = User.objects.create_user("staff", is_staff=True)
    names = ("view_conversation", "view_message", *permissions)
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    client = Client()
    client.force_login(user)
    return client


def pages(conversation: Conversation) -> list[str]:
    message = conversation.messages.get(role="assistant")
    question = conversation.messages.get(role="user")
    return [
        reverse("admin:ai_chat_conversation_changelist"),
        reverse("admin:ai_chat_conversation_change", args=[conversation.pk]),
        reverse("admin:ai_chat_message_changelist"),
        reverse("admin:ai_chat_message_change", args=[message.pk]),
        reverse("admin:ai_chat_message_change", args=[question.pk]),
    ]


def test_content_is_hidden_without_the_permission(conversation: Conversation) -> None:
    client = staff()
    text = ""
    for page in pages(conversation):
        answer = client.get(page)
        assert answer.status_code == 200, page
        text += answer.content.decode()
    assert "treasure" not in text and "old oak" not in text
    assert "4,711" in text or "4711" in text, "the numbers are there"


def test_content_is_shown_with_the_permission(conversation: Conversation) -> None:
    client = staff("view_content")
    text = "".join(client.get(page).content.decode() for page in pages(conversation))
    assert "treasure" in text and "old oak" in text


def test_search_finds_nothing_hidden(conversation: Conversation) -> None:
    client = staff()
    for name, lookups in (
        ("conversation", ("title__contains", "messages__text__contains", "visitor__startswith")),
        ("message", ("text__contains", "question__text__contains", "visitor__startswith")),
    ):
        page = reverse(f"admin:ai_chat_{name}_changelist")
        for lookup in lookups:
            answer = client.get(page, {lookup: "oak"})
            assert answer.status_code in (302, 400), "no filter on what may not be read"


def test_nothing_can_be_changed_or_added(conversation: Conversation) -> None:
    client = staff("view_content", "add_message", "change_message", "change_conversation")
    assert client.get(reverse("admin:ai_chat_message_add")).status_code == 403
    change = reverse("admin:ai_chat_conversation_change", args=[conversation.pk])
    assert client.post(change, {"title": "x"}).status_code == 403
    assert Conversation.objects.get().title == SECRET_QUESTION


def test_visitors_are_not_let_in(conversation: Conversation) -> None:
    for page in pages(conversation):
        assert Client().get(page).status_code == 302
