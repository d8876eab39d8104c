"""Fixtures of the demo model's tests: held-out questions, training text, and the model itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ai_model.demo.ask import DemoModel
from ai_model.demo.corpus import Corpus, load_corpus
from ai_model.demo.evaluate import Checker, known_words
from ai_model.demo.heldout import Heldout, load_heldout

DEMO_PATH = Path(__file__).parents[3] / "ai_model" / "weights" / "demo.gguf"


@pytest.fixture(scope="session")
def heldout() -> Heldout:
    return load_heldout()


@pytest.fixture(scope="session")
def corpus(heldout: Heldout) -> Corpus:
    return load_corpus(heldout)


@pytest.fixture(scope="session")
def checker(corpus: Corpus, heldout: Heldout) -> Checker:
    return Checker(known_words(corpus), heldout.dont_know)


@pytest.fixture(scope="session")
def demo_path() -> Path:
    return DEMO_PATH


# Not for the whole session: an engine has a thread, and other tests count threads.
@pytest.fixture(scope="module")
def demo_model(demo_path: Path) -> Iterator[DemoModel]:
    with DemoModel(demo_path, num_threads=1) as model:
        yield model


@pytest.fixture(scope="module")
def ask_demo(demo_model: DemoModel) -> Callable[[list[dict[str, str]]], str]:
    """Greedy answer of the demo model to a list of role/content messages."""
    return demo_model.ask
