"""The training text: format, expansion, checksum, and the quality of what is written in it."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

from ai_model.demo.augment import augment
from ai_model.demo.corpus import (
    DEFAULT_SYSTEM,
    OUT_OF_SCOPE,
    Corpus,
    CorpusError,
    expand,
    load_corpus,
    training_sha256,
)
from ai_model.demo.dialogue import DialogueSource, Turn, render_turn
from ai_model.demo.evaluate import Checker, has_loop
from ai_model.demo.heldout import Heldout

TEXT = """# a comment
$greeting = {hello|hi}
== hello
? $greeting {there|} / good day
> Hello!
+ {why|how come} => Because I am polite.
"""


def _write(directory: Path, text: str) -> Path:
    (directory / "topics.txt").write_text(text, encoding="utf-8")
    (directory / "systems.txt").write_text("# site owners\nBe brief.\n", encoding="utf-8")
    return directory


@pytest.fixture(scope="module")
def nothing_held_out() -> Heldout:
    return Heldout((), (), (), (), ())


def test_a_pattern_expands_to_every_choice() -> None:
    assert expand("{a|b} x {c|}") == ["a x c", "a x", "b x c", "b x"]
    assert expand("plain") == ["plain"]
    assert set(expand("{a|{b|c} d}")) == {"a", "b d", "c d"}


def test_a_large_pattern_is_sampled_the_same_way_every_time() -> None:
    pattern = " ".join("{" + "|".join("abcdefghij") + "}" for _ in range(5))
    first = expand(pattern, 50)
    assert first == expand(pattern, 50)
    assert len(first) <= 50


def test_unbalanced_braces_are_refused() -> None:
    with pytest.raises(CorpusError, match="unbalanced"):
        expand("{a|b")


def test_topics_are_read(tmp_path: Path, nothing_held_out: Heldout) -> None:
    corpus = load_corpus(nothing_held_out, _write(tmp_path, TEXT))
    (topic,) = corpus.topics
    assert topic.name == "hello"
    assert list(topic.questions) == ["hello there", "hello", "hi there", "hi", "good day"]
    assert topic.answers == ("Hello!",)
    assert topic.follow_ups[0].questions == ("why", "how come")
    assert corpus.system_prompts == ("Be brief.",)


@pytest.mark.parametrize(
    ("text", "reason"),
    [("== a\n? b\n", "needs a question and an answer"), ("== a\nnonsense\n", "cannot read")],
)
def test_malformed_text_is_refused(
    text: str, reason: str, tmp_path: Path, nothing_held_out: Heldout
) -> None:
    with pytest.raises(CorpusError, match=reason):
        load_corpus(nothing_held_out, _write(tmp_path, text))


def test_the_checksum_follows_the_text_not_the_line_endings(tmp_path: Path) -> None:
    _write(tmp_path, TEXT)
    before = training_sha256(tmp_path)
    (tmp_path / "topics.txt").write_bytes(TEXT.replace("\n", "\r\n").encode())
    assert training_sha256(tmp_path) == before
    (tmp_path / "topics.txt").write_text(TEXT + "# more\n", encoding="utf-8")
    assert training_sha256(tmp_path) != before


def test_there_is_enough_text(corpus: Corpus) -> None:
    assert len(corpus.topics) >= 180
    assert len(set(corpus.answers)) >= 220
    assert len({t.name for t in corpus.topics}) == len(corpus.topics)
    assert all(sum(1 for _ in t.questions) >= 4 for t in corpus.topics)
    assert len(corpus.system_prompts) >= 25


def test_out_of_scope_questions_are_diverse(corpus: Corpus) -> None:
    topic = next(t for t in corpus.topics if t.name == OUT_OF_SCOPE)
    assert len(set(topic.questions)) >= 5000


def test_no_phrasing_belongs_to_two_topics(corpus: Corpus) -> None:
    owner: dict[str, str] = {}
    double = set()
    for topic in corpus.topics:
        for question in topic.questions:
            if owner.setdefault(question, topic.name) != topic.name:
                double.add((question, owner[question], topic.name))
    assert double == set()


def test_answers_are_well_written(corpus: Corpus, checker: Checker) -> None:
    answers = set(corpus.answers)
    assert {a: p for a in answers if (p := checker.form_problems(a))} == {}
    assert [a for a in answers if has_loop(a)] == []
    assert [a for a in answers if len(a) > 900] == []


def test_several_answers_are_long(corpus: Corpus) -> None:
    assert sum(len(a.split()) >= 75 for a in set(corpus.answers)) >= 8


def test_every_command_named_in_an_answer_is_a_real_one(corpus: Corpus) -> None:
    known = {"run", "test", "admin", "model"}
    words = [a.replace(",", " ").replace(".", " ").replace(":", " ") for a in corpus.answers]
    named = {
        following
        for text in words
        for word, following in zip(text.split(), text.split()[1:], strict=False)
        if word == "make"
    }
    assert named - {"up", "sense", "it", "you", "answers", "a"} <= known


def test_dialogues_are_the_same_for_the_same_seed(corpus: Corpus, heldout: Heldout) -> None:
    first, second = (DialogueSource(corpus, heldout, 3) for _ in range(2))
    assert [first.dialogue() for _ in range(20)] == [second.dialogue() for _ in range(20)]


def test_dialogues_alternate_and_use_the_default_prompt(corpus: Corpus, heldout: Heldout) -> None:
    source = DialogueSource(corpus, heldout, 5)
    dialogues = [source.dialogue() for _ in range(300)]
    for turns in dialogues:
        roles = [turn.role for turn in turns if turn.role != "system"]
        assert roles == ["user", "assistant"] * (len(roles) // 2)
    default = sum(turns[0] == Turn("system", DEFAULT_SYSTEM) for turns in dialogues)
    assert 100 < default < 200
    assert any(turns[0].role == "user" for turns in dialogues)


def test_what_visitors_type_in_training_is_never_held_out(corpus: Corpus, heldout: Heldout) -> None:
    source = DialogueSource(corpus, heldout, 11)
    typed = [t.text for _ in range(500) for t in source.dialogue() if t.role == "user"]
    assert [text for text in typed if heldout.collides(text)] == []


def test_augmentation_varies_but_never_empties() -> None:
    rng = random.Random(1)
    seen = {augment("how do i start the server", rng) for _ in range(200)}
    assert len(seen) > 60
    assert all(text.strip() for text in seen)
    assert any(text.endswith("?") for text in seen)
    assert all(augment("hi", rng).strip() for _ in range(100))


def test_the_layout_is_zephyr() -> None:
    assert render_turn(Turn("user", "hello")) == ("<|user|>\n", "hello")


def test_reading_the_text_needs_neither_torch_nor_django() -> None:
    import subprocess

    code = (
        "import sys, ai_model.demo.corpus, ai_model.demo.dialogue, ai_model.demo.evaluate;"
        "sys.exit(bool({'torch', 'django', 'llama_cpp'} & set(sys.modules)))"
    )
    root = Path(__file__).parents[3]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, timeout=30).returncode == 0
