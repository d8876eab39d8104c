"""Synthetic models load in the real llama.cpp and speak words."""

from __future__ import annotations

from pathlib import Path

import pytest

from ai_model.engine.model import Model
from ai_model.synthetic import Architecture, SynthesisError, synthesise
from tests.ai_model.tiny_model import build_tiny_model

SMALL = Architecture(
    num_layers=2, width=256, num_heads=8, num_kv_heads=2, feed_forward=512, context_length=256
)


@pytest.mark.parametrize("quant", ["Q8_0", "Q5_K_M", "Q4_K_M"])
def test_model_is_written_and_loads(tmp_path: Path, quant: str) -> None:
    vocabulary = build_tiny_model(tmp_path / "vocabulary.gguf")
    target = tmp_path / "synthetic.gguf"
    progress: list[float] = []
    synthesise(
        target,
        quant=quant,
        vocabulary=vocabulary,
        num_threads=1,
        on_progress=lambda share, what: progress.append(share),
        architecture=SMALL,
    )
    model = Model(target)
    try:
        assert model.info.n_ctx_train == 256
        assert model.info.quant == quant
    finally:
        model.close()
    assert progress == sorted(progress)
    assert progress[-1] == 1.0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["synthetic.gguf", "vocabulary.gguf"]


def test_no_vocabulary_is_one_sentence(tmp_path: Path) -> None:
    empty = tmp_path / "empty.gguf"
    empty.write_bytes(b"GGUF")
    with pytest.raises(SynthesisError, match="no SentencePiece vocabulary"):
        synthesise(tmp_path / "x.gguf", quant="Q8_0", vocabulary=empty, num_threads=1)


def test_no_disk_space_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vocabulary = build_tiny_model(tmp_path / "vocabulary.gguf")
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr("ai_model.synthetic.shutil.disk_usage", lambda path: usage)
    with pytest.raises(SynthesisError, match="GB of disk"):
        synthesise(tmp_path / "x.gguf", quant="Q8_0", vocabulary=vocabulary, num_threads=1)
