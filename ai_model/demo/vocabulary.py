"""The demo model's SentencePiece vocabulary, and dialogues as llama.cpp would tokenise them."""

from __future__ import annotations

import io
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sentencepiece as spm

from ai_model.demo.augment import augment
from ai_model.demo.corpus import DEFAULT_SYSTEM, Corpus
from ai_model.demo.dialogue import Turn, render_turn

BOS, EOS = 1, 2
NUM_TOKENS = 2048


@dataclass(frozen=True, slots=True)
class Encoded:
    """A dialogue as tokens; for each its place in an answer, from 1 (0: none), and, between the
    beginning of a question and that of its answer, the question's topic."""

    ids: list[int]
    places: list[int]
    topics: list[str]

    def cut(self, length: int) -> Encoded:
        """The first tokens."""
        return Encoded(self.ids[:length], self.places[:length], self.topics[:length])


def _sentences(corpus: Corpus, seed: int) -> Iterator[str]:
    """What the vocabulary is learnt from: answers count more than any single phrasing."""
    rng = random.Random(seed)
    for _ in range(30):
        yield from corpus.answers
        yield from corpus.system_prompts
        yield DEFAULT_SYSTEM
    for topic in corpus.topics:
        for pattern in topic.patterns:
            for question in rng.sample(pattern, min(len(pattern), 12)):
                yield question
                yield augment(question, rng, corpus.proper_words)


def train_vocabulary(corpus: Corpus, seed: int) -> bytes:
    """Train the SentencePiece model; returns its serialised form."""
    model = io.BytesIO()
    spm.SentencePieceTrainer.train(
        sentence_iterator=_sentences(corpus, seed),
        model_writer=model,
        model_type="bpe",
        vocab_size=NUM_TOKENS,
        byte_fallback=True,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        add_dummy_prefix=True,
        split_digits=True,
        character_coverage=0.9999,
        num_threads=1,
        minloglevel=2,
    )
    return model.getvalue()


class Vocabulary:
    """Encodes dialogues exactly as llama_tokenize(add_special=True, parse_special=True) does."""

    def __init__(self, serialised: bytes) -> None:
        self._sp: Any = spm.SentencePieceProcessor(model_proto=serialised)

    def pieces(self) -> list[tuple[str, float, int]]:
        """Piece, score and GGUF token type of every id."""
        sp = self._sp
        found = []
        for index in range(sp.get_piece_size()):
            kind = 1
            if sp.is_unknown(index):
                kind = 2
            elif sp.is_control(index):
                kind = 3
            elif sp.is_byte(index):
                kind = 6
            found.append((sp.id_to_piece(index), float(sp.get_score(index)), kind))
        return found

    def encode(self, turns: Sequence[Turn]) -> Encoded:
        """Token ids of a dialogue.

        A visitor's or owner's text must not contain `</s>`: this is for training text only.
        """
        ids, places, topics = [BOS], [0], [""]
        lead = topic = ""
        for turn in turns:
            role, body = render_turn(turn)
            # the body follows a newline, never a space: newlines do not merge with anything
            before = len(self._sp.encode(lead + role))
            new = [*self._sp.encode(lead + role + body), EOS]
            rest = len(new) - before
            ids += new
            if turn.role == "assistant":
                places += [0] * before + list(range(1, rest + 1))
                topics += [topic] * before + [""] * rest
            else:
                topic = turn.topic
                places += [0] * len(new)
                topics += [""] * before + [topic] * rest
            lead = "\n"
        return Encoded(ids, places, topics)

    def decode(self, ids: Iterable[int]) -> str:
        """Text of token ids."""
        return str(self._sp.decode(list(ids)))
