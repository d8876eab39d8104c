"""The size of the mapped models, each file once."""

from __future__ import annotations

from pathlib import Path

from ai_model.memory.weights import Weights


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def _file(path: Path, size: int) -> Path:
    path.write_bytes(b"x" * size)
    return path


def test_one_file_counts_once_under_all_its_names(tmp_path: Path) -> None:
    model = _file(tmp_path / "model.gguf", 1000)
    (tmp_path / "soft.gguf").symlink_to(model)
    (tmp_path / "hard.gguf").hardlink_to(model)
    files = [model, model, tmp_path / "soft.gguf", tmp_path / "hard.gguf"]
    assert Weights(lambda: files, Clock()).num_bytes() == 1000
    assert Weights(lambda: [*files, _file(tmp_path / "b", 10)], Clock()).num_bytes() == 1010


def test_files_that_cannot_be_there(tmp_path: Path) -> None:
    files = [tmp_path / "gone", Path("bad\0name"), _file(tmp_path / "a", 7)]
    assert Weights(lambda: files, Clock()).num_bytes() == 7


def test_other_files_count_at_once_and_changed_ones_soon(tmp_path: Path) -> None:
    clock, files = Clock(), [_file(tmp_path / "a", 5)]
    weights = Weights(lambda: files, clock)
    assert weights.num_bytes() == 5
    files.append(_file(tmp_path / "b", 6))
    assert weights.num_bytes() == 11
    _file(tmp_path / "a", 50)
    assert weights.num_bytes() == 11
    clock.now += 10.0
    assert weights.num_bytes() == 56
    files.clear()
    assert weights.num_bytes() == 0
