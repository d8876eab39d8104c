"""How a conversation becomes tokens: ids as the template has them, no forged turns, trimming."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jinja2.sandbox import ImmutableSandboxedEnvironment

from ai_model.engine.model import Model
from ai_model.prompt import (
    SAFETY_TOKENS,
    USUAL_QUESTION_TOKENS,
    ChatMessage,
    PromptTooLong,
    Role,
    fit_prompt,
)
from ai_model.role_markers import count_markers
from tests.ai_model.tiny_model import CHAT_TEMPLATE, build_tiny_model

SYSTEM = ChatMessage(Role.SYSTEM, "You are kind.")


class WordTokenizer:
    """One token for every word and newline, so that sizes are easy to count."""

    bos: int | None = 1
    end_of_turn = 2

    def tokenize(self, text: str) -> list[int]:
        return [10 + len(word) for word in text.replace("\n", " \n ").split(" ") if word]

    def recall(self, text: str) -> tuple[int, ...] | None:
        return None


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Model]:
    path = tmp_path_factory.mktemp("model") / "tiny.gguf"
    build_tiny_model(Path(path))
    loaded = Model(path)
    yield loaded
    loaded.close()


def _talk(*texts: str) -> list[ChatMessage]:
    roles = (Role.USER, Role.ASSISTANT)
    return [ChatMessage(roles[index % 2], text) for index, text in enumerate(texts)]


def _fit(messages: Sequence[ChatMessage], tokenizer: object, **limits: int) -> tuple[int, ...]:
    limits = {"n_ctx": 100_000, "max_tokens": 64, "max_messages": 10_000, **limits}
    return fit_prompt(messages, tokenizer=tokenizer, **limits).tokens  # type: ignore[arg-type]


def _render(messages: Sequence[ChatMessage]) -> str:
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(CHAT_TEMPLATE).render(
        messages=[{"role": str(one.role), "content": one.text} for one in messages],
        eos_token="</s>",
        add_generation_prompt=True,
    )


ordinary = st.text(
    alphabet=st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Cf", "Mn", "Me")),
    min_size=1,
    max_size=40,
).filter(lambda text: not set(text) & set("<＜‹〈⟨❮❰≺﹤"))


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(ordinary, min_size=1, max_size=5), has_system=st.booleans())
def test_ids_equal_those_of_the_stored_template(
    model: Model, texts: list[str], has_system: bool
) -> None:
    talk = _talk(*texts) if len(texts) % 2 else _talk(*texts[:-1])
    if not talk:
        return
    messages = [SYSTEM, *talk] if has_system else talk
    assert list(_fit(messages, model)) == model.tokenize_template(_render(messages))


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text(
        alphabet=st.sampled_from("<|>/s system USER assistant\n\u200b｜＜＞abc\U0001f600"),
        max_size=80,
    )
)
def test_visitor_text_forges_no_turn(model: Model, text: str) -> None:
    messages = [SYSTEM, *_talk(text, "fine", text)]
    tokens = _fit(messages, model)
    assert tokens.count(model.end_of_turn) == len(messages)
    assert tokens.count(model.bos or -1) == 1
    rendered = b"".join(model.piece(token) for token in tokens).decode("utf-8", "replace")
    assert count_markers(rendered) == len(messages) + 1, "one marker a turn, and the cue"


@given(
    sizes=st.lists(st.integers(1, 60), min_size=1, max_size=60),
    n_ctx=st.integers(120, 600),
    max_messages=st.integers(2, 40),
)
def test_trimmed_prompt_fits_and_keeps_the_newest(
    sizes: list[int], n_ctx: int, max_messages: int
) -> None:
    texts = [f"{'x ' * size}" for size in sizes]
    talk = _talk(*texts) if len(texts) % 2 else _talk(*texts[1:])
    if not talk:
        return
    tokenizer = WordTokenizer()
    fitted = fit_prompt(
        [SYSTEM, *talk],
        tokenizer=tokenizer,
        n_ctx=n_ctx,
        max_tokens=32,
        max_messages=max_messages,
    )
    assert len(fitted.tokens) <= n_ctx - 32 - SAFETY_TOKENS
    kept = talk[2 * fitted.num_dropped_turns :]
    assert len(kept) - 1 <= max_messages
    assert fitted.tokens == _fit([SYSTEM, *kept], tokenizer)
    if fitted.num_dropped_turns:
        longer = [SYSTEM, *talk[2 * (fitted.num_dropped_turns - 1) :]]
        half = (n_ctx - 32 - SAFETY_TOKENS) // 2
        # Never dropped more than a step of half the room beyond what had to go, plus one exchange.
        assert (
            len(_fit(longer, tokenizer)) > half - len(_fit([SYSTEM, talk[-1]], tokenizer))
            or len(talk) - 1 > max_messages // 2
        )


def test_cut_moves_rarely() -> None:
    tokenizer = WordTokenizer()
    talk = _talk("a question of some words here")
    cuts = []
    for _ in range(60):
        fitted = fit_prompt(
            [SYSTEM, *talk], tokenizer=tokenizer, n_ctx=400, max_tokens=64, max_messages=500
        )
        cuts.append(fitted.num_dropped_turns)
        talk += _talk("x", "an answer of some more words here", "the next question of words")[1:]
    moves = sum(before != after for before, after in zip(cuts, cuts[1:], strict=False))
    assert cuts[-1] > 40
    assert moves <= 10
    assert cuts == sorted(cuts)


def test_too_long_a_message_tells_its_numbers() -> None:
    with pytest.raises(PromptTooLong) as caught:
        _fit([SYSTEM, *_talk("word " * 200)], WordTokenizer(), n_ctx=200)
    assert caught.value.room == 200 - 64 - SAFETY_TOKENS
    assert caught.value.num_tokens > 200


@pytest.mark.parametrize("messages", [[], [SYSTEM], _talk("a", "b")])
def test_prompt_ends_with_a_user(messages: list[ChatMessage]) -> None:
    with pytest.raises(ValueError, match="ends with the message of a user"):
        _fit(messages, WordTokenizer())


def test_shared_beginning_is_the_system_turn(model: Model) -> None:
    limits = {"n_ctx": 512, "max_tokens": 32, "max_messages": 10}
    one = fit_prompt([SYSTEM, *_talk("hello")], tokenizer=model, **limits)
    two = fit_prompt([SYSTEM, *_talk("what now")], tokenizer=model, **limits)
    length = one.num_system_tokens
    assert one.tokens[:length] == two.tokens[:length]
    assert one.tokens[length - 1] == model.end_of_turn


def test_remembered_answers_keep_their_ids(model: Model) -> None:
    odd = tuple(model.tokenize("hel") + model.tokenize("lo"))
    model.memo.remember("an odd answer", odd)
    tokens = _fit([SYSTEM, *_talk("hi", "an odd answer", "more")], model)
    assert any(tokens[at : at + len(odd)] == odd for at in range(len(tokens)))


def test_cut_moves_rarely_however_long_the_questions_are() -> None:
    tokenizer = WordTokenizer()
    talk = _talk("a question of some words here")
    cuts = []
    for turn in range(60):
        question = ChatMessage(Role.USER, "word " * (1 + 7 * turn % 20))
        fitted = fit_prompt(
            [SYSTEM, *talk[:-1], question],
            tokenizer=tokenizer,
            n_ctx=400,
            max_tokens=64,
            max_messages=500,
        )
        cuts.append(fitted.num_dropped_turns)
        talk += _talk("x", "an answer of some more words here", "the next question of words")[1:]
    assert cuts[-1] > 40
    assert sum(before != after for before, after in zip(cuts, cuts[1:], strict=False)) <= 20


@pytest.mark.parametrize(("num_words", "least"), [(1, 45), (10, 50), (USUAL_QUESTION_TOKENS, 58)])
def test_history_is_cut_for_a_question_that_is_still_to_come(num_words: int, least: int) -> None:
    """What is read beforehand is what the usual question finds, also where the cut moves."""
    tokenizer = WordTokenizer()
    num_alike = num_cut = 0
    talk = _talk("a question of some words here")
    for _ in range(60):
        limits = {"tokenizer": tokenizer, "n_ctx": 400, "max_tokens": 64, "max_messages": 500}
        history = [SYSTEM, *talk[:-1]]
        expected = fit_prompt([*history, ChatMessage(Role.USER, "")], **limits)
        question = ChatMessage(Role.USER, "word " * num_words)
        asked = fit_prompt([*history, question], **limits)
        num_alike += expected.num_dropped_turns == asked.num_dropped_turns
        num_cut += asked.num_dropped_turns > 0
        talk += _talk("x", "an answer of some more words here", "the next question of words")[1:]
    assert num_cut > 20
    assert num_alike >= least, "of 60, in a context of eight turns"
