"""Questions and answers in the database, as tests need them."""

from __future__ import annotations

import uuid
from typing import Any

from apps.ai_chat import services
from apps.ai_chat.models import Conversation, Message
from apps.ai_chat.services import Ending, Sent
from apps.ai_chat.visitor import visitor_of_id

ANNA, BERT = visitor_of_id("a" * 32), visitor_of_id("b" * 32)
DONE = Ending(state=Message.State.COMPLETE, reason="stop")


def send(text: str, conversation: uuid.UUID | None = None, **fields: Any) -> Sent:
    values = {"visitor": ANNA, "cid": uuid.uuid4(), "generation": uuid.uuid4(), **fields}
    return services.send_message(text=text, conversation_id=conversation, **values)


def finish(sent: Sent, answer: str, ending: Ending = DONE) -> Sent:
    assert services.save_answer(answer_id=sent.answer, text=answer, ending=ending)
    return sent


def exchange(text: str, answer: str, conversation: uuid.UUID | None = None, **fields: Any) -> Sent:
    return finish(send(text, conversation, **fields), answer)


def edit(message: uuid.UUID, text: str, **fields: Any) -> Sent:
    values = {"visitor": ANNA, "cid": uuid.uuid4(), "generation": uuid.uuid4(), **fields}
    return services.edit_message(message_id=message, text=text, **values)


def shown(conversation: uuid.UUID) -> list[str]:
    """The texts a visitor sees."""
    row = Conversation.objects.get(id=conversation)
    return [message.text for message in services.current_messages(conversation=row)]


def prompt(sent: Sent) -> list[str]:
    """The texts the model is shown behind the system prompt."""
    return [message.text for message in services.prompt_messages(answer_id=sent.answer)[1:]]
