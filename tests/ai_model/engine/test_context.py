"""Cells that move up are the cells that reading at their new places would have made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from ai_model.engine.abort_flag import AbortFlag
from ai_model.engine.context import Context, DecodeOutcome
from ai_model.engine.llama_library import lib
from ai_model.engine.model import Model
from tests.ai_model import tiny_model as tiny

CHOOSE = np.random.default_rng(1)
SYSTEM, DROPPED, KEPT, QUESTION = (
    [int(token) for token in CHOOSE.integers(260, 400, size)] for size in (20, 50, 60, 20)
)
NEAR, FAR = 0.003, 0.02
"""Difference of two rows of logits, in parts of how much they vary: rounding, and other places."""


@pytest.fixture
def shallow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Model]:
    """One layer: what it keeps of a token depends on nothing before it, but on its place."""
    monkeypatch.setattr(tiny, "LAYERS", 1)
    model = Model(tiny.build_tiny_model(tmp_path / "shallow.gguf"))
    yield model
    model.close()


class Reader:
    """A context, what its first sequences read, and the logits behind it."""

    def __init__(self, model: Model, flag: AbortFlag | None = None) -> None:
        self._num_vocab = model.num_vocab
        self.context = Context(
            model,
            num_sequences=3,
            num_cells=512,
            batch_tokens=128,
            num_threads=1,
            abort_flag=flag or AbortFlag(),
        )

    def read(self, tokens: Sequence[int], start: int, sequence: int = 0) -> np.ndarray:
        """Return the logits behind the last token."""
        last = start + len(tokens) - 1
        for position, token in enumerate(tokens, start=start):
            row = self.context.add(
                token, position=position, sequence=sequence, wants_logits=position == last
            )
        assert self.context.decode() is DecodeOutcome.DONE
        logits = lib.llama_get_logits_ith(self.context.handle, row)
        return np.array(np.ctypeslib.as_array(logits, shape=(self._num_vocab,)))

    def cut(self) -> np.ndarray:
        """Read a conversation, take out its oldest part, and go on."""
        self.read(SYSTEM + DROPPED, 0)
        self.read(KEPT, len(SYSTEM + DROPPED))
        start, end = len(SYSTEM), len(SYSTEM + DROPPED)
        self.context.move_up(0, start, end, held=SYSTEM + KEPT)
        return self.read(QUESTION, len(SYSTEM + KEPT))


def difference(one: np.ndarray, other: np.ndarray) -> float:
    return float((one - other).std() / other.std())


def test_moved_cells_are_as_if_read_there(shallow: Model) -> None:
    plain, cut, unmoved = (Reader(shallow) for _ in range(3))
    plain.read(SYSTEM + KEPT, 0)
    expected = plain.read(QUESTION, len(SYSTEM + KEPT))
    assert cut.context.can_move
    assert difference(cut.cut(), expected) < NEAR
    unmoved.read(SYSTEM + DROPPED, 0)
    unmoved.read(KEPT, len(SYSTEM + DROPPED))
    # A gap, as if nothing had moved.
    lib.llama_memory_seq_rm(unmoved.context._memory, 0, len(SYSTEM), len(SYSTEM + DROPPED))
    assert difference(unmoved.read(QUESTION, 130), expected) > FAR, "the test can tell"
    for reader in (plain, cut, unmoved):
        reader.context.close()


def test_the_step_that_moves_them_is_not_stopped_half_way(shallow: Model) -> None:
    """Whoever cancels something then stops the next step."""
    flag = AbortFlag()
    plain, cut = Reader(shallow), Reader(shallow, flag)
    plain.read(SYSTEM + KEPT, 0)
    expected = plain.read(QUESTION, len(SYSTEM + KEPT))
    cut.read(SYSTEM + DROPPED, 0)
    cut.read(KEPT, len(SYSTEM + DROPPED))
    flag.set()
    cut.context.move_up(0, len(SYSTEM), len(SYSTEM + DROPPED), held=SYSTEM + KEPT)
    cut.context.add(5, position=len(SYSTEM + KEPT), sequence=0, wants_logits=False)
    assert cut.context.decode() is DecodeOutcome.ABORTED
    cut.context.remove(0, len(SYSTEM + KEPT))
    flag.clear()
    assert difference(cut.read(QUESTION, len(SYSTEM + KEPT)), expected) < NEAR
    for reader in (plain, cut):
        reader.context.close()


def test_a_state_saved_behind_the_move_is_whole(shallow: Model) -> None:
    plain, cut = Reader(shallow), Reader(shallow)
    plain.read(SYSTEM + KEPT, 0)
    expected = plain.read(QUESTION, len(SYSTEM + KEPT))
    cut.cut()
    cut.context.remove(0, len(SYSTEM + KEPT))
    state = cut.context.save(0)
    assert cut.context.restore(1, state)
    again = cut.read(QUESTION, len(SYSTEM + KEPT), sequence=1)
    assert difference(again, expected) < NEAR
    for reader in (plain, cut):
        reader.context.close()
