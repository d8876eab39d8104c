"""What a client of OpenAI's API asks for, checked, and as the pool understands it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any

from ai_model.engine.request import MAX_TOP_ODDS, SamplingParams
from ai_model.pool.priority import Priority
from ai_model.pool.request import PoolRequest
from ai_model.prompt import ChatMessage, Role
from apps.api.openai.errors import bad_field, not_supported
from apps.api.openai.fields import RequestFields, checked_text
from apps.api.openai.unsupported import refuse_unsupported

MAX_MESSAGES = 500
MAX_TEXT_CHARS = 100_000
MAX_KEY_CHARS = 256
LONGEST = 65_536
_ROLES = {
    "system": Role.SYSTEM,
    "developer": Role.SYSTEM,
    "user": Role.USER,
    "assistant": Role.ASSISTANT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletionRequest:
    """One checked request. ``model`` is the name as it came."""

    is_chat: bool
    model: str
    messages: tuple[ChatMessage, ...]
    sampling: SamplingParams
    is_streaming: bool
    includes_usage: bool
    user: str

    def for_pool(self, generation: str, *, key_id: int) -> PoolRequest:
        """The request as the pool takes it. What one user of one key asks shares a turn in line,
        and finds again what the model has read of the same conversation."""
        who = f"key:{key_id}:{_digest(self.user)}"
        opening = "\n".join(message.text for message in self.messages[:2])
        return PoolRequest(
            generation=generation,
            conversation=f"{who}:{_digest(opening)}",
            visitor=who,
            messages=self.messages,
            sampling=self.sampling,
            priority=Priority.API,
        )


def chat_request(values: dict[str, Any], usual: SamplingParams) -> CompletionRequest:
    """Read the body of ``/v1/chat/completions``; ``usual`` is what goes for absent fields.

    Raises OpenAIError.
    """
    return _request(values, usual, _messages(values.get("messages")), is_chat=True)


def text_request(values: dict[str, Any], usual: SamplingParams) -> CompletionRequest:
    """Read the body of ``/v1/completions``. The model is one for chats, so the prompt is taken as a
    user's message. Raises OpenAIError."""
    prompt = values.get("prompt")
    if isinstance(prompt, list) and len(prompt) == 1:
        prompt = prompt[0]
    text = checked_text(prompt, "prompt", MAX_TEXT_CHARS)
    if not text.strip():
        raise bad_field("prompt", "prompt must not be empty.")
    return _request(values, usual, (ChatMessage(Role.USER, text),), is_chat=False)


def _request(
    values: dict[str, Any],
    usual: SamplingParams,
    messages: tuple[ChatMessage, ...],
    *,
    is_chat: bool,
) -> CompletionRequest:
    fields = RequestFields(values)
    refuse_unsupported(fields)
    options = fields.get("stream_options")
    if options is not None and not isinstance(options, dict):
        raise bad_field("stream_options", "stream_options must be an object.")
    return CompletionRequest(
        is_chat=is_chat,
        model=fields.text("model", MAX_KEY_CHARS),
        messages=messages,
        sampling=replace(_sampling(fields, usual), num_top_odds=_num_top_odds(fields, is_chat)),
        is_streaming=fields.flag("stream"),
        includes_usage=RequestFields(options or {}).flag("include_usage"),
        user=fields.text("user", MAX_KEY_CHARS) or fields.text("safety_identifier", MAX_KEY_CHARS),
    )


def _sampling(fields: RequestFields, usual: SamplingParams) -> SamplingParams:
    longest = fields.integer("max_completion_tokens", 1, LONGEST)
    if longest is None:
        longest = fields.integer("max_tokens", 1, LONGEST)
    asked: dict[str, Any] = {
        "temperature": fields.number("temperature", 0.0, 2.0),
        "top_p": fields.number("top_p", 0.0, 1.0),
        "top_k": fields.integer("top_k", 0, 1000),
        "min_p": fields.number("min_p", 0.0, 1.0),
        "repeat_penalty": fields.number("repeat_penalty", 0.5, 2.0),
        "presence_penalty": fields.number("presence_penalty", -2.0, 2.0),
        "frequency_penalty": fields.number("frequency_penalty", -2.0, 2.0),
        "seed": fields.integer("seed", -(2**63), 2**63 - 1),
        "max_tokens": longest,
    }
    given = {name: value for name, value in asked.items() if value is not None}
    if "seed" in given:
        given["seed"] %= 2**32
    return replace(usual, **given, stop=_stop(fields.get("stop")))


def _num_top_odds(fields: RequestFields, is_chat: bool) -> int | None:
    """How many likely tokens are asked for beside each of the answer; None if nothing is."""
    if not is_chat:
        # Some clients send what the address for chats takes.
        is_flag = isinstance(fields.get("logprobs"), bool)
        if not is_flag:
            return fields.integer("logprobs", 0, MAX_TOP_ODDS)
        return 0 if fields.flag("logprobs") else None
    num_top = fields.integer("top_logprobs", 0, MAX_TOP_ODDS)
    if fields.flag("logprobs"):
        return num_top or 0
    if num_top:
        raise bad_field("top_logprobs", "top_logprobs needs logprobs to be true.")
    return None


def _stop(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or len(texts) > 8:
        raise bad_field("stop", "stop must be a text, or a list of at most 8.")
    checked = tuple(checked_text(text, "stop", 64) for text in texts)
    if not all(checked):
        raise bad_field("stop", "stop must not be empty.")
    return checked


def _messages(value: Any) -> tuple[ChatMessage, ...]:
    if not isinstance(value, list) or not value:
        raise bad_field("messages", "messages must be a list of at least one message.")
    if len(value) > MAX_MESSAGES:
        raise bad_field("messages", f"messages may be at most {MAX_MESSAGES}.")
    messages = tuple(_message(item, f"messages[{at}]") for at, item in enumerate(value))
    if messages[-1].role is not Role.USER:
        raise bad_field("messages", "The last message must be a user's.")
    return messages


def _message(item: Any, name: str) -> ChatMessage:
    if not isinstance(item, dict):
        raise bad_field(name, f"{name} must be an object.")
    if item.get("tool_calls") or item.get("function_call"):
        raise not_supported(f"{name}.tool_calls", "The model cannot call tools.")
    role = item.get("role")
    if not isinstance(role, str) or role not in _ROLES:
        known = ", ".join(_ROLES)
        raise bad_field(f"{name}.role", f"{name}.role must be one of {known}.")
    return ChatMessage(_ROLES[role], _content(item.get("content"), f"{name}.content"))


def _content(value: Any, name: str) -> str:
    """A text, or a list of parts that are all texts."""
    if isinstance(value, list):
        parts = []
        for part in value:
            if not isinstance(part, dict) or part.get("type") not in ("text", "input_text"):
                raise not_supported(name, f"{name} may hold texts only.")
            parts.append(checked_text(part.get("text"), name, MAX_TEXT_CHARS))
        return checked_text("\n".join(parts), name, MAX_TEXT_CHARS)
    return checked_text(value, name, MAX_TEXT_CHARS)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
