"""Judges answers of the demo model, and prints its score on the held-out questions:
python -m ai_model.demo.evaluate [--model FILE] [--ask QUESTION]."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ai_model.demo.corpus import DEFAULT_SYSTEM, Corpus, load_corpus
from ai_model.demo.heldout import Heldout, load_heldout, words_of

LOOP_WORDS = 4
MIN_KNOWN_SHARE = 0.95

Ask = Callable[[list[dict[str, str]]], str]
Groups = Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Judged:
    """One judged answer; no problems means acceptable."""

    question: str
    answer: str
    problems: tuple[str, ...]

    @property
    def is_acceptable(self) -> bool:
        """Whether nothing is wrong with the answer."""
        return not self.problems


@dataclass(frozen=True, slots=True)
class Report:
    """All answers to the held-out questions."""

    in_scope: tuple[Judged, ...]
    out_of_scope: tuple[Judged, ...]
    multi_turn: tuple[Judged, ...]

    def __iter__(self) -> Iterator[Judged]:
        return iter((*self.in_scope, *self.out_of_scope, *self.multi_turn))


def share_acceptable(judged: Sequence[Judged]) -> float:
    """Share of acceptable answers, 0 to 1."""
    return sum(j.is_acceptable for j in judged) / len(judged)


def contains(answer: str, phrase: str) -> bool:
    """Whether a key phrase stands in the answer as whole words, whatever its case."""
    phrase = phrase.casefold()
    left = r"(?<!\w)" if phrase[0].isalnum() else ""
    right = r"(?!\w)" if phrase[-1].isalnum() else ""
    return re.search(left + re.escape(phrase) + right, answer.casefold()) is not None


def has_loop(answer: str) -> bool:
    """Whether four words in a row occur twice."""
    words = words_of(answer)
    runs = [words[i : i + LOOP_WORDS] for i in range(len(words) - LOOP_WORDS + 1)]
    return len(set(runs)) < len(runs)


def known_words(corpus: Corpus) -> frozenset[str]:
    """Every word of the training text."""
    texts = (*corpus.questions, *corpus.answers, *corpus.system_prompts)
    return frozenset(word for text in texts for word in words_of(text))


class Checker:
    """Decides whether an answer is acceptable. Immutable, safe to share."""

    def __init__(self, known: frozenset[str], dont_know: Sequence[str]) -> None:
        self._known = known
        self._dont_know = tuple(dont_know)

    def form_problems(self, answer: str) -> list[str]:
        """What is wrong with an answer whatever the question was."""
        text = answer.strip()
        words = words_of(text)
        if not words:
            return ["empty"]
        problems = []
        if text[0].isalpha() and not text[0].isupper() and not text.startswith("llama.cpp"):
            problems.append("no capital letter")
        if text[-1] not in ".!?":
            problems.append("no ending punctuation")
        if has_loop(text):
            problems.append("loop")
        if sum(word in self._known for word in words) / len(words) < MIN_KNOWN_SHARE:
            problems.append("unknown words")
        return problems

    def is_dont_know(self, answer: str) -> bool:
        """Whether the answer says that the model does not know."""
        return any(contains(answer, phrase) for phrase in self._dont_know)

    def judge(self, question: str, answer: str, accept: Groups | None) -> Judged:
        """Judge one answer; `accept` None means that only a don't-know is acceptable."""
        problems = self.form_problems(answer)
        if accept is None:
            if not self.is_dont_know(answer):
                problems.append("should not know")
        else:
            missing = [g for g in accept if not any(contains(answer, p) for p in g)]
            problems.extend(f"misses {' / '.join(group)}" for group in missing)
        return Judged(question, answer, tuple(problems))


def evaluate(ask: Ask, heldout: Heldout, checker: Checker, system: str = DEFAULT_SYSTEM) -> Report:
    """Ask all held-out questions through `ask`, which gets messages and returns the answer."""

    def dialogue(messages: Sequence[str]) -> str:
        history = [{"role": "system", "content": system}] if system else []
        answer = ""
        for message in messages:
            history.append({"role": "user", "content": message})
            answer = ask(list(history))
            history.append({"role": "assistant", "content": answer})
        return answer

    return Report(
        tuple(checker.judge(q.text, dialogue([q.text]), q.accept) for q in heldout.in_scope),
        tuple(checker.judge(q, dialogue([q]), None) for q in heldout.out_of_scope),
        tuple(
            checker.judge(" | ".join(c.messages), dialogue(c.messages), c.accept)
            for c in heldout.multi_turn
        ),
    )


def main() -> None:
    """Command line."""
    from ai_model.demo.ask import DemoModel

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Path("ai_model/weights/demo.gguf"))
    parser.add_argument("--ask", action="append", help="only ask this; several make a dialogue")
    parser.add_argument("--system", default=DEFAULT_SYSTEM)
    args = parser.parse_args()
    with DemoModel(args.model) as model:
        if args.ask:
            history = [{"role": "system", "content": args.system}] if args.system else []
            for question in args.ask:
                history.append({"role": "user", "content": question})
                history.append({"role": "assistant", "content": model.ask(history)})
                print(f"> {question}\n{history[-1]['content']}")
            return
        heldout = load_heldout()
        checker = Checker(known_words(load_corpus(heldout)), heldout.dont_know)
        report = evaluate(model.ask, heldout, checker, args.system)
    for judged in report:
        if not judged.is_acceptable:
            print(f"{judged.question}\n   {judged.answer}\n   {'; '.join(judged.problems)}")
    for name in ("in_scope", "out_of_scope", "multi_turn"):
        part: tuple[Judged, ...] = getattr(report, name)
        print(f"{name}: {sum(j.is_acceptable for j in part)}/{len(part)}")


if __name__ == "__main__":
    main()
