"""The checker has to accept good answers and to fail on every distractor."""

from __future__ import annotations

import pytest

from ai_model.demo.corpus import DEFAULT_SYSTEM, Corpus
from ai_model.demo.evaluate import (
    Checker,
    contains,
    evaluate,
    has_loop,
    share_acceptable,
)
from ai_model.demo.heldout import Heldout, load_heldout

DISTRACTORS = load_heldout().distractors


def _accept(heldout: Heldout, question: str) -> tuple[tuple[str, ...], ...] | None:
    if question in heldout.out_of_scope:
        return None
    return next(q.accept for q in heldout.in_scope if q.text == question)


@pytest.mark.parametrize("distractor", DISTRACTORS, ids=lambda d: d.why)
def test_every_distractor_fails(distractor, heldout: Heldout, checker: Checker) -> None:  # type: ignore[no-untyped-def]
    accept = _accept(heldout, distractor.question)
    assert not checker.judge(distractor.question, distractor.answer, accept).is_acceptable


def test_there_are_enough_distractors() -> None:
    assert len(DISTRACTORS) >= 12


def test_reference_answers_are_accepted(heldout: Heldout, corpus: Corpus, checker: Checker) -> None:
    topics = {topic.name: topic for topic in corpus.topics}
    refused = [
        (question.text, answer)
        for question in heldout.in_scope
        for answer in topics[question.topic].answers
        if not checker.judge(question.text, answer, question.accept).is_acceptable
    ]
    assert refused == []


def test_reference_dont_knows_are_accepted(
    heldout: Heldout, corpus: Corpus, checker: Checker
) -> None:
    topic = next(t for t in corpus.topics if t.name == "out-of-scope")
    for answer in topic.answers:
        for question in heldout.out_of_scope:
            assert checker.judge(question, answer, None).is_acceptable


def test_most_answers_of_other_topics_are_refused(
    heldout: Heldout, corpus: Corpus, checker: Checker
) -> None:
    """Key phrases tell topics apart: a model that answers at random must not pass."""
    answers = list(corpus.answers)
    accepted = sum(
        checker.judge(q.text, answer, q.accept).is_acceptable
        for q in heldout.in_scope
        for answer in answers
    )
    assert accepted / (len(answers) * len(heldout.in_scope)) < 0.15


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("Type make run", "no ending punctuation"),
        ("type make run.", "no capital letter"),
        ("Type make run now and type make run now and type make run.", "loop"),
        ("Glorp zzyx wibble frotz.", "unknown words"),
    ],
)
def test_badly_formed_answers(answer: str, problem: str, checker: Checker) -> None:
    assert problem in checker.form_problems(answer)


def test_a_loop_is_four_words_twice() -> None:
    assert has_loop("It is a pool. Yes, it is a pool.")
    assert not has_loop("The pool is here. The pool is there.")


def test_phrases_are_whole_words() -> None:
    assert contains("No, nothing.", "no")
    assert not contains("I know nothing.", "no")
    assert contains("Open /pool/ now.", "/pool/")
    assert contains("About 23 MB per instance.", "23 mb")
    assert contains("Why? Because.", "?")


def test_a_dialogue_hands_on_its_own_answers(heldout: Heldout, checker: Checker) -> None:
    seen: list[list[dict[str, str]]] = []

    def ask(messages: list[dict[str, str]]) -> str:
        seen.append(messages)
        return f"Answer {len(seen)}."

    report = evaluate(ask, heldout, checker)
    longest = max(seen, key=len)
    assert longest[0] == {"role": "system", "content": DEFAULT_SYSTEM}
    assert [m["role"] for m in longest[1:4]] == ["user", "assistant", "user"]
    assert longest[2]["content"].startswith("Answer ")
    assert share_acceptable(report.out_of_scope) == 0.0


def test_a_model_that_never_knows_fails_in_scope(heldout: Heldout, checker: Checker) -> None:
    report = evaluate(lambda _: "I don't know that.", heldout, checker)
    assert share_acceptable(report.out_of_scope) == 1.0
    assert share_acceptable(report.in_scope) < 0.1
