"""The demo model against questions it was never trained on, and the proof that it was not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import gguf
import pytest

from ai_model.demo.corpus import Corpus, training_sha256
from ai_model.demo.evaluate import Checker, Report, evaluate, share_acceptable
from ai_model.demo.export import SHA256_KEY
from ai_model.demo.heldout import (
    MAX_OVERLAP,
    Conversation,
    Heldout,
    Question,
    overlap,
    runs_of,
    words_of,
)

MAX_BYTES = 8_000_000


def _metadata(path: Path, key: str) -> str:
    field = gguf.GGUFReader(str(path)).get_field(key)
    assert field is not None, f"{key} is missing"
    return str(field.contents())


@pytest.fixture(scope="module")
def report(
    ask_demo: Callable[[list[dict[str, str]]], str], heldout: Heldout, checker: Checker
) -> Report:
    return evaluate(ask_demo, heldout, checker)


def test_there_are_enough_held_out_questions(heldout: Heldout) -> None:
    assert len({q.text for q in heldout.in_scope}) >= 110
    assert len(set(heldout.out_of_scope)) >= 20
    assert len(heldout.multi_turn) >= 6
    assert all(q.accept and all(q.accept) for q in heldout.in_scope)


def test_every_held_out_topic_is_trained(heldout: Heldout, corpus: Corpus) -> None:
    assert {q.topic for q in heldout.in_scope} <= {t.name for t in corpus.topics}


def test_no_five_word_run_is_shared_with_the_training_text(
    heldout: Heldout, corpus: Corpus
) -> None:
    texts = (*corpus.questions, *corpus.answers, *corpus.system_prompts)
    shared = [text for text in texts if not heldout.runs.isdisjoint(runs_of(words_of(text)))]
    assert shared == []


def test_no_training_question_nearly_equals_a_held_out_one(
    heldout: Heldout, corpus: Corpus
) -> None:
    own = [frozenset(words_of(text)) for text in heldout.questions]
    trained = {frozenset(words_of(text)) for text in corpus.questions}
    close = [
        sorted(words)
        for words in trained
        if any(
            # sets of very different sizes cannot reach the limit: skip the slow part
            len(words) * MAX_OVERLAP <= len(other) <= len(words) / MAX_OVERLAP
            and overlap(words, other) >= MAX_OVERLAP
            for other in own
        )
    ]
    assert close == []


def test_the_guard_refuses_what_the_rules_forbid() -> None:
    question = Question("Where may I park my brown horse tonight?", "hello", (("hello",),))
    talk = Conversation(("first of all something rather long", "short one"), "hello", (("hi",),))
    guard = Heldout((question,), (), (talk,), (), ())
    assert guard.collides("where may i park my car")  # five words in a row
    assert guard.collides("my brown horse tonight may I park where")  # the same words
    assert guard.collides("well, first of all something rather nice")
    assert not guard.collides("where may the horse stay")


def test_the_model_was_trained_on_this_text(demo_path: Path) -> None:
    assert _metadata(demo_path, SHA256_KEY) == training_sha256()


def test_the_model_is_small(demo_path: Path) -> None:
    assert demo_path.stat().st_size <= MAX_BYTES


@pytest.mark.timeout(300)
def test_in_scope_answers_are_acceptable(report: Report) -> None:
    wrong = [j for j in report.in_scope if not j.is_acceptable]
    assert share_acceptable(report.in_scope) >= 0.85, wrong


@pytest.mark.timeout(300)
def test_out_of_scope_questions_are_answered_with_dont_know(report: Report) -> None:
    wrong = [j for j in report.out_of_scope if not j.is_acceptable]
    assert share_acceptable(report.out_of_scope) >= 0.80, wrong


@pytest.mark.timeout(300)
def test_dialogues_of_several_turns(report: Report) -> None:
    wrong = [j for j in report.multi_turn if not j.is_acceptable]
    assert share_acceptable(report.multi_turn) >= 0.75, wrong


@pytest.mark.timeout(300)
def test_every_answer_is_well_formed(report: Report, checker: Checker) -> None:
    answers = {j.question: j.answer for j in report}
    problems = {q: (a, checker.form_problems(a)) for q, a in answers.items()}
    assert {q: p for q, p in problems.items() if p[1]} == {}
