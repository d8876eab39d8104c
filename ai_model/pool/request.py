"""What a web process asks of the pool: one answer, with everything needed to generate it again."""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ai_model.engine.request import MAX_TOP_ODDS, SamplingParams
from ai_model.pool.errors import BadFrame
from ai_model.pool.fields import Fields, is_valid_text
from ai_model.pool.priority import Priority
from ai_model.prompt import ChatMessage, Role
from ai_model.request_id import is_request_id

MAX_KEY_CHARS = 128
MAX_MESSAGES = 2000
MAX_TEXT_CHARS = 1_000_000
MAX_PRODUCED = 65_536
MAX_META = 16
RESERVED_META = frozenset({"type", "gen", "seq"})

MetaValue = str | int | float | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolRequest:
    """One answer to generate. Raises ValueError for values that cannot be carried.

    ``generation`` is a UUID in its usual form, chosen by the client. ``conversation`` and
    ``visitor`` are opaque keys; so is ``address``, the block of addresses the visitor comes from,
    which shares one turn in line (empty: the visitor has a turn alone). ``priority`` decides its
    class in line; the client decides it, never the visitor. ``meta`` holds a few plain values that
    are repeated in ``gen.created``. ``produced`` and ``produced_text`` are what an earlier pool
    already generated for this answer; it goes on behind them. ``produced_text`` alone is an answer
    that had its end and shall go on: the pool finds its tokens. ``num_given_chars`` is then the
    length of that text, which the limit of tokens does not count; it stays when the pool dies and
    more has been produced. ``is_resumed`` says that an earlier pool had taken the request, whether
    it ran or waited: it keeps its place before new ones. ``request_id`` is the id of the web
    request or socket that asked, for the log.
    """

    generation: str
    conversation: str
    visitor: str
    messages: tuple[ChatMessage, ...]
    sampling: SamplingParams = field(default_factory=SamplingParams)
    meta: Mapping[str, MetaValue] = field(default_factory=dict)
    produced: tuple[int, ...] = ()
    produced_text: str = ""
    num_given_chars: int = 0
    address: str = ""
    priority: Priority = Priority.VISITOR
    is_resumed: bool = False
    request_id: str = ""

    def __post_init__(self) -> None:
        if not is_generation_id(self.generation):
            raise ValueError("generation must be a UUID in its usual form")
        for name, key in (("conversation", self.conversation), ("visitor", self.visitor)):
            if not 0 < len(key) <= MAX_KEY_CHARS or not is_valid_text(key):
                raise ValueError(f"{name} must be a text of 1 to {MAX_KEY_CHARS} characters")
        if len(self.address) > MAX_KEY_CHARS or not is_valid_text(self.address):
            raise ValueError(f"address must be a text of at most {MAX_KEY_CHARS} characters")
        if self.request_id and not is_request_id(self.request_id):
            raise ValueError("request_id must be a short text without blanks")
        if not isinstance(self.priority, Priority):
            raise ValueError("priority must be a Priority")
        if not 0 < len(self.messages) <= MAX_MESSAGES:
            raise ValueError(f"messages must be 1 to {MAX_MESSAGES}, not {len(self.messages)}")
        if self.messages[-1].role is not Role.USER:
            raise ValueError("the last message must be a user's")
        texts = [message.text for message in self.messages]
        if not all(is_valid_text(text) for text in (*texts, self.produced_text)):
            raise ValueError("a text contains half a surrogate pair")
        if len(self.produced) > MAX_PRODUCED:
            raise ValueError(f"produced must be at most {MAX_PRODUCED} tokens")
        if not self.produced:
            object.__setattr__(self, "num_given_chars", len(self.produced_text))
        if not 0 <= self.num_given_chars <= MAX_TEXT_CHARS:
            raise ValueError(f"num_given_chars must lie between 0 and {MAX_TEXT_CHARS}")
        if len(self.meta) > MAX_META or RESERVED_META & set(self.meta):
            raise ValueError(f"meta takes at most {MAX_META} values, none called type, gen or seq")
        for key, value in self.meta.items():
            if not _is_plain_text(key) or not _is_plain(value):
                raise ValueError("meta takes texts of at most 256 characters, numbers and flags")

    @property
    def is_beginning(self) -> bool:
        """Whether a conversation begins with it: there is one question and nothing before it."""
        num_turns = sum(message.role is not Role.SYSTEM for message in self.messages)
        return num_turns == 1 and not self.produced_text

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "generation": self.generation,
            "conversation": self.conversation,
            "visitor": self.visitor,
            "messages": [[str(message.role), message.text] for message in self.messages],
            "sampling": asdict(self.sampling) | {"stop": list(self.sampling.stop)},
            "meta": dict(self.meta),
            "produced": list(self.produced),
            "produced_text": self.produced_text,
            "num_given_chars": self.num_given_chars,
            "address": self.address,
            "priority": str(self.priority),
            "is_resumed": self.is_resumed,
            "request_id": self.request_id,
        }

    @classmethod
    def from_json(cls, value: object) -> PoolRequest:
        """Return the request that ``to_json`` wrote. Raises BadFrame."""
        values = Fields(value, "request")
        try:
            return cls(
                generation=values.text("generation", max_chars=MAX_KEY_CHARS),
                conversation=values.text("conversation", max_chars=MAX_KEY_CHARS),
                visitor=values.text("visitor", max_chars=MAX_KEY_CHARS),
                messages=_messages(values.items("messages", max_items=MAX_MESSAGES)),
                sampling=_sampling(Fields(values.mapping("sampling", default={}), "sampling")),
                meta=values.mapping("meta", default={}),
                produced=values.integers("produced", max_items=MAX_PRODUCED, default=[]),
                produced_text=values.text("produced_text", max_chars=MAX_TEXT_CHARS, default=""),
                num_given_chars=values.integer("num_given_chars", high=MAX_TEXT_CHARS, default=0),
                address=values.text("address", max_chars=MAX_KEY_CHARS, default=""),
                priority=_priority(values.text("priority", max_chars=16, default="visitor")),
                is_resumed=values.flag("is_resumed", default=False),
                request_id=values.text("request_id", max_chars=MAX_KEY_CHARS, default=""),
            )
        except ValueError as error:
            raise BadFrame(f"the request is wrong: {error}") from None


def is_generation_id(value: str) -> bool:
    """Return whether ``value`` is a UUID in its usual form, in lower case."""
    try:
        return str(uuid.UUID(value)) == value
    except ValueError:
        return False


def _is_plain_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= 256 and is_valid_text(value)


def _is_plain(value: object) -> bool:
    if value is None or isinstance(value, bool):
        return True
    if isinstance(value, int | float):
        return math.isfinite(value) and abs(value) < 2**63
    return _is_plain_text(value)


def _priority(value: str) -> Priority:
    try:
        return Priority(value)
    except ValueError:
        raise BadFrame("priority of request is unknown") from None


def _messages(items: list[Any]) -> tuple[ChatMessage, ...]:
    messages = []
    for item in items:
        if not isinstance(item, list) or len(item) != 2:
            raise BadFrame("a message is not a role and a text")
        pair = Fields({"role": item[0], "text": item[1]}, "message")
        role = pair.text("role", max_chars=16)
        try:
            messages.append(ChatMessage(Role(role), pair.text("text", max_chars=MAX_TEXT_CHARS)))
        except ValueError:
            raise BadFrame("a message has an unknown role") from None
    return tuple(messages)


def _sampling(values: Fields) -> SamplingParams:
    usual = SamplingParams()
    stop = values.items("stop", max_items=8, default=[])
    if not all(isinstance(text, str) and is_valid_text(text) for text in stop):
        raise BadFrame("stop of sampling is not a list of texts")
    return SamplingParams(
        temperature=values.number("temperature", default=usual.temperature),
        top_k=values.integer("top_k", default=usual.top_k),
        top_p=values.number("top_p", default=usual.top_p),
        min_p=values.number("min_p", default=usual.min_p),
        repeat_penalty=values.number("repeat_penalty", default=usual.repeat_penalty),
        presence_penalty=values.number("presence_penalty", default=usual.presence_penalty),
        frequency_penalty=values.number("frequency_penalty", default=usual.frequency_penalty),
        repeat_last_n=values.integer("repeat_last_n", default=usual.repeat_last_n),
        seed=values.optional_integer("seed", high=2**32 - 1),
        max_tokens=values.integer("max_tokens", default=usual.max_tokens),
        stop=tuple(stop),
        num_top_odds=values.optional_integer("num_top_odds", high=MAX_TOP_ODDS),
    )
