"""How a conversation becomes the tokens of one prompt: Zephyr segments, role-forgery protection,
history trimming.

Every message body is tokenised on its own as plain text, so nothing a visitor or the model writes
can become a control token. For ordinary text the ids equal those of TinyLlama's own chat template
(a test compares with llama.cpp).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from ai_model.role_markers import neutralise

SAFETY_TOKENS = 8
"""Tokens of the context that neither prompt nor answer may use."""
USUAL_QUESTION_TOKENS = 40
"""Room for a question that is not known yet: an empty newest message stands for it."""
MIN_GOING_ON = 32
"""An answer that goes on may add so many tokens at least; with less room it is not begun."""


class Role(StrEnum):
    """Who wrote a message."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message of a conversation."""

    role: Role
    text: str


class Tokenizer(Protocol):
    """What a prompt needs of a model. Implementations are thread-safe."""

    @property
    def bos(self) -> int | None:
        """The token that starts a prompt, or None when the model wants none."""

    @property
    def end_of_turn(self) -> int:
        """The control token that ends every turn (``</s>``)."""

    def tokenize(self, text: str) -> list[int]:
        """Return the ids of ``text`` as it stands behind a control token; control tokens in it are
        never parsed."""

    def recall(self, text: str) -> tuple[int, ...] | None:
        """Return the ids ``text`` was generated as, when the model remembers that answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedPrompt:
    """The tokens of a prompt that fits, and what had to be left out."""

    tokens: tuple[int, ...]
    num_system_tokens: int
    """Length of the shared beginning (BOS and system turn) that conversations of one site have in
    common."""
    num_dropped_turns: int
    """Visitor messages at the start of the conversation that the model no longer sees."""
    max_tokens: int = 0
    """Tokens the answer may add."""
    next_tokens: tuple[int, ...] = ()
    """What follows a whole answer in the next prompt, whatever is asked then."""

    @property
    def system_tokens(self) -> tuple[int, ...]:
        """The shared beginning; () when nothing follows it, since then it is nobody's beginning."""
        return (
            self.tokens[: self.num_system_tokens]
            if self.num_system_tokens < len(self.tokens)
            else ()
        )


class PromptTooLong(ValueError):
    """Raised when the system prompt and the newest message alone do not fit.

    ``num_tokens`` is what they need and ``room`` what there is, both in tokens.
    """

    def __init__(self, num_tokens: int, room: int) -> None:
        super().__init__(f"the message needs {num_tokens} tokens and there is room for {room}")
        self.num_tokens = num_tokens
        self.room = room


def fit_prompt(
    messages: Sequence[ChatMessage],
    *,
    tokenizer: Tokenizer,
    n_ctx: int,
    max_tokens: int,
    max_messages: int,
    num_given: int = 0,
) -> FittedPrompt:
    """Return the prompt for the answer to the last of ``messages``, its history trimmed to fit.

    Room is reserved for the answer first (``max_tokens`` of the ``n_ctx`` tokens), then for the
    system prompt, then for the newest message, and history fills the rest. ``max_messages`` bounds
    the history in messages. Old exchanges are dropped in big steps: the cut moves only when the
    conversation has grown by half the room, however long its questions are, so that most turns keep
    the beginning of their prompt and the engine can reuse what it has already read.

    An empty newest message stands for a question that is still to come; history is cut as it will
    probably be cut then. ``num_given`` tokens of the answer are there already, and it may add
    ``max_tokens``; fewer, if even without history there is no more room.

    Raises PromptTooLong when the newest message does not fit, and ValueError without a final user
    message.
    """
    system = [message for message in messages if message.role is Role.SYSTEM]
    turns = [message for message in messages if message.role is not Role.SYSTEM]
    if not turns or turns[-1].role is not Role.USER:
        raise ValueError("a prompt ends with the message of a user")
    opening = [] if tokenizer.bos is None else [tokenizer.bos]
    cue = tokenizer.tokenize(f"\n<|{Role.ASSISTANT}|>\n")
    fixed = len(opening) + len(cue) + _num_tokens(system, tokenizer)
    required = fixed + _num_tokens([turns[-1]], tokenizer)
    if num_given:
        left = n_ctx - num_given - SAFETY_TOKENS - required
        max_tokens = min(max_tokens, max(MIN_GOING_ON, left))
    room = n_ctx - max_tokens - SAFETY_TOKENS
    if required > room - num_given:
        raise PromptTooLong(required, room - num_given)

    num_expected = 0 if turns[-1].text else USUAL_QUESTION_TOKENS
    exchanges = _group_exchanges(turns[:-1])
    start = max(
        _first_to_fit(
            [_num_tokens(exchange, tokenizer) for exchange in exchanges],
            max(0, room - required - num_expected),
            step=(room - fixed) // 2,
            num_given=num_given,
        ),
        _first_kept([len(exchange) for exchange in exchanges], max_messages, max_messages // 2),
    )
    kept = [message for exchange in exchanges[start:] for message in exchange]
    tokens = opening + _encode(system, tokenizer, is_start=True)
    num_system_tokens = len(tokens)
    tokens += _encode([*kept, turns[-1]], tokenizer, is_start=not system) + cue
    return FittedPrompt(
        tokens=tuple(tokens),
        num_system_tokens=num_system_tokens,
        num_dropped_turns=sum(
            message.role is Role.USER for exchange in exchanges[:start] for message in exchange
        ),
        max_tokens=max_tokens,
        next_tokens=(tokenizer.end_of_turn, *tokenizer.tokenize(f"\n<|{Role.USER}|>\n")),
    )


def encode_answer(text: str, tokenizer: Tokenizer) -> tuple[int, ...]:
    """Return the ids of an answer, or of its beginning: those it was generated as if remembered."""
    remembered = tokenizer.recall(text)
    return tuple(_encode_body(text, tokenizer)) if remembered is None else remembered


def count_tokens(text: str, tokenizer: Tokenizer) -> int:
    """Return how many tokens ``text`` takes as the body of a message."""
    return len(_encode_body(text, tokenizer))


def _num_tokens(messages: Sequence[ChatMessage], tokenizer: Tokenizer) -> int:
    return len(_encode(messages, tokenizer, is_start=False))


def _encode(messages: Sequence[ChatMessage], tokenizer: Tokenizer, *, is_start: bool) -> list[int]:
    """Return the ids of consecutive turns; ``is_start`` when the first one starts the prompt."""
    tokens: list[int] = []
    for index, message in enumerate(messages):
        tokens += _encode_turn(message, tokenizer, is_first=is_start and index == 0)
    return tokens


def _encode_turn(message: ChatMessage, tokenizer: Tokenizer, *, is_first: bool) -> list[int]:
    """Return the ids of one turn; every turn but the first begins with the newline that follows an
    end of turn."""
    marker = f"<|{message.role}|>\n"
    scaffold = tokenizer.tokenize(marker if is_first else "\n" + marker)
    encode = encode_answer if message.role is Role.ASSISTANT else _encode_body
    return [*scaffold, *encode(message.text, tokenizer), tokenizer.end_of_turn]


def _encode_body(text: str, tokenizer: Tokenizer) -> list[int]:
    """Return the ids of a message body as it stands behind the newline of its role marker.

    A SentencePiece vocabulary puts a space before text that follows a control token, but not before
    text that follows a newline; so the body is tokenised behind a newline, which is then taken off.
    """
    newline = tokenizer.tokenize("\n")
    behind_newline = tokenizer.tokenize("\n" + neutralise(text))
    return behind_newline[len(newline) :]


def _group_exchanges(history: Sequence[ChatMessage]) -> list[list[ChatMessage]]:
    """Group history into exchanges: a user message and the answers that follow it."""
    exchanges: list[list[ChatMessage]] = []
    for message in history:
        if message.role is Role.USER or not exchanges:
            exchanges.append([])
        exchanges[-1].append(message)
    return exchanges


def _first_to_fit(sizes: Sequence[int], room: int, *, step: int, num_given: int) -> int:
    """Return the index of the first exchange to keep beside ``num_given`` tokens of the answer.

    If possible it is the one that the answer had when it began, which the engine has read.
    """
    start = _first_kept(sizes, room, step)
    if sum(sizes[start:]) <= room - num_given:
        return start
    return max(start, _first_kept(sizes, room - num_given, step))


def _first_kept(sizes: Sequence[int], room: int, step: int) -> int:
    """Return the index of the first exchange to keep so that the kept sizes sum to at most
    ``room``.

    The cut lies on a grid of ``step``, counted from the start of the conversation. So it stands
    still while the conversation grows by a step, and needs no memory of where it was.
    """
    total = sum(sizes)
    if total <= room:
        return 0
    step = max(1, step)
    cut = -(-(total - room) // step) * step
    dropped = 0
    for index, size in enumerate(sizes):
        if dropped >= cut:
            return index
        dropped += size
    return len(sizes)
