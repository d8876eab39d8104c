"""Trains the demo model from scratch on CPU and writes its GGUF: python -m ai_model.demo.train."""

from __future__ import annotations

import argparse
import logging
import math
import random
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.nn import functional as F

from ai_model.demo.corpus import Corpus, load_corpus, training_sha256
from ai_model.demo.dialogue import DialogueSource
from ai_model.demo.export import write_gguf
from ai_model.demo.heldout import Heldout, load_heldout
from ai_model.demo.network import Network, Shape, TopicHead
from ai_model.demo.vocabulary import EOS, Encoded, Vocabulary, train_vocabulary

log = logging.getLogger("demo")

STEP_TOKENS = 3072
# The first words of an answer decide which answer it is; the rest is soon known by heart. So the
# training begins with bare questions and the first words of their answers, and goes on with whole
# dialogues, in which the first words weigh more and answers are often cut after them.
QUESTION_ROW = 48
QUESTION_SHARE = 0.4
ROWS = (
    96,
    256,
    96,
    48,
    256,
    96,
    96,
    256,
    48,
    96,
    1024,
    96,
)  # row lengths of the later steps, in turn
TOPIC_SHARE = 0.5  # of a second task: at every word of a question, guess its topic
HEAD, HEAD_WEIGHT, CUT_AFTER, CUT_RATE = 6, 4.0, 10, 0.5


@dataclass(frozen=True, slots=True)
class Batch:
    """One step's rows: what goes in, what comes next, its weight, and the topic (or -1) there."""

    inputs: torch.Tensor
    targets: torch.Tensor
    weights: torch.Tensor
    topics: torch.Tensor


class Batches:
    """Rows of dialogues: one question each in the short rows, several packed in longer ones."""

    def __init__(self, corpus: Corpus, heldout: Heldout, words: Vocabulary, seed: int) -> None:
        self._source = DialogueSource(corpus, heldout, seed)
        self._words = words
        self._rng = random.Random(seed + 1)
        self.labels = {label: index for index, label in enumerate(self._source.labels)}

    @staticmethod
    def _weight(place: int) -> float:
        return 0.0 if place == 0 else HEAD_WEIGHT if place <= HEAD else 1.0

    def _dialogue(self, num_exchanges: int | None) -> Encoded:
        encoded = self._words.encode(self._source.dialogue(num_exchanges))
        beyond = encoded.places[-1] - CUT_AFTER
        if beyond > 0 and self._rng.random() < CUT_RATE:
            return encoded.cut(len(encoded.ids) - beyond)
        return encoded

    def _row(self, length: int) -> Encoded:
        if length == QUESTION_ROW:
            asked = self._words.encode(self._source.question())
            parts = [asked.cut(len(asked.ids) - max(0, asked.places[-1] - CUT_AFTER))]
        elif length < 256:
            parts = [self._dialogue(1)]
        else:
            is_long = length > 256 and self._rng.random() < 0.5
            parts = []
            while sum(len(part.ids) for part in parts) <= length:
                parts.append(self._dialogue(14 if is_long else None))
        missing = max(0, length + 1 - sum(len(part.ids) for part in parts))
        parts.append(Encoded([EOS] * missing, [0] * missing, [""] * missing))
        return Encoded(
            [token for part in parts for token in part.ids],
            [place for part in parts for place in part.places],
            [topic for part in parts for topic in part.topics],
        ).cut(length + 1)

    def next(self, length: int) -> Batch:
        """The rows of one step, of this length."""
        rows = [self._row(length) for _ in range(STEP_TOKENS // length)]
        ids = torch.tensor([row.ids for row in rows])
        weights = torch.tensor([[self._weight(place) for place in row.places] for row in rows])
        topics = torch.tensor([[self.labels.get(t, -1) for t in row.topics] for row in rows])
        return Batch(ids[:, :-1], ids[:, 1:], weights[:, 1:], topics[:, :-1])


def learning_rate(step: int, progress: float, peak: float) -> float:
    """Linear warm-up over 100 steps, then a cosine down to 2 % of the peak."""
    warm = min(1.0, (step + 1) / 100)
    return peak * warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * progress)))


def export(net: Network, words: Vocabulary, path: Path, sha256: str) -> None:
    """Write the network as it is now."""
    s = net.shape
    write_gguf(
        path,
        {name: tensor.numpy() for name, tensor in net.tensors().items()},
        words.pieces(),
        num_layers=s.num_layers,
        width=s.width,
        num_heads=s.num_heads,
        num_kv_heads=s.num_kv_heads,
        ffn_width=s.ffn_width,
        context=s.context,
        rope_theta=s.rope_theta,
        rms_eps=s.rms_eps,
        training_sha256=sha256,
    )


def train(args: argparse.Namespace) -> None:
    """Run the whole training."""
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    heldout = load_heldout()
    corpus = load_corpus(heldout)
    sha256 = training_sha256()
    words = Vocabulary(train_vocabulary(corpus, args.seed))
    net = Network(Shape(num_tokens=len(words.pieces()), num_layers=args.layers), args.dropout)
    num_params = sum(p.numel() for p in net.parameters())
    logging.getLogger("gguf").setLevel(logging.WARNING)
    log.info("%d topics, %.2f M parameters", len(corpus.topics), num_params / 1e6)
    matrices = [p for p in net.parameters() if p.dim() > 1]
    norms = [p for p in net.parameters() if p.dim() == 1]
    batches = Batches(corpus, heldout, words, args.seed)
    topic_head = TopicHead(net.shape, len(batches.labels))
    groups = [
        {"params": matrices, "weight_decay": 0.05},
        {"params": [*norms, *topic_head.parameters()], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=args.lr, betas=(0.9, 0.98), fused=True)
    begun = time.monotonic()
    shown = 0.0
    for step in range(args.steps):
        elapsed = time.monotonic() - begun
        progress = max(step / args.steps, elapsed / 60 / args.minutes)
        if progress >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, progress, args.lr)
        length = QUESTION_ROW if progress < QUESTION_SHARE else ROWS[step % len(ROWS)]
        batch = batches.next(length)
        judged, asked = batch.weights > 0, batch.topics >= 0
        with torch.autocast("cpu", dtype=torch.bfloat16):
            hidden, middle = net(batch.inputs)
            logits = net.logits(hidden[judged])
            guesses = topic_head(middle[asked])
        losses = F.cross_entropy(logits.float(), batch.targets[judged], reduction="none")
        flat = batch.weights[judged]
        topic_loss = F.cross_entropy(guesses.float(), batch.topics[asked])
        share = TOPIC_SHARE * max(0.0, 1 - progress / 0.9)
        ((losses * flat).sum() / flat.sum() + share * topic_loss).backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        head = losses.detach()[flat == HEAD_WEIGHT].mean().item()
        shown = head if step == 0 else 0.95 * shown + 0.05 * head
        if step % 20 == 19:
            minutes = (time.monotonic() - begun) / 60
            log.info(
                "step %d/%d  loss of first words %.3f, topics %.2f  %.0f min, about %.0f min left",
                step + 1,
                args.steps,
                shown,
                topic_loss.item(),
                minutes,
                minutes / max(progress, 1e-6) - minutes,
            )
        if args.every and step % args.every == args.every - 1:
            export(net, words, args.out, sha256)
    export(net, words, args.out, sha256)
    log.info(
        "wrote %s after %d steps, %.0f min", args.out, step + 1, (time.monotonic() - begun) / 60
    )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("ai_model/weights/demo.gguf"))
    parser.add_argument("--steps", type=int, default=4500)
    parser.add_argument("--minutes", type=float, default=90, help="at most; also ends the schedule")
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--dropout", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--every", type=int, default=200, help="write the model every N steps")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    train(args)


if __name__ == "__main__":
    main()
