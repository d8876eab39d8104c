"""Numbers and tables of the kernel, whole or cut off."""

from __future__ import annotations

from pathlib import Path

import pytest

from ai_model.kernel_file import (
    NO_LIMIT,
    UnreadableFile,
    read_amount,
    read_table,
    read_text,
    read_value,
)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("4096\n", 4096),
        ("max\n", NO_LIMIT),
        ("9223372036854771712\n", 9223372036854771712),
        (f"{10**40}\n", 10**40),
        ("-1\n", 0),
    ],
)
def test_amount(tmp_path: Path, text: str, amount: int) -> None:
    (tmp_path / "file").write_text(text)
    assert read_amount(tmp_path / "file") == amount


@pytest.mark.parametrize("text", ["", "4096", "rubbish\n", "1 2\n", "\n"])
def test_what_is_cut_off_or_no_number_is_unreadable(tmp_path: Path, text: str) -> None:
    (tmp_path / "file").write_text(text)
    with pytest.raises(UnreadableFile, match="file"):
        read_amount(tmp_path / "file")


def test_missing_is_told_from_unreadable(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_text(tmp_path / "file")
    with pytest.raises(UnreadableFile, match="cannot be read"):
        read_text(tmp_path)


def test_table_leaves_out_what_it_does_not_know(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("anon 12\nMemTotal:  2048 kB\nword\nnodes N0=1\nlast 7\n")
    assert read_table(tmp_path / "file") == {"anon": 12, "MemTotal": 2048, "last": 7}


def test_cut_off_table_is_unreadable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("anon 12\nfile 123")
    with pytest.raises(UnreadableFile):
        read_table(tmp_path / "file")


def test_one_value(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("first 1\npgfault 5\nfault 6\nlast 7\n")
    values = [read_value(tmp_path / "file", name) for name in ("first", "fault", "last", "gone")]
    assert values == [1, 6, 7, None]


def test_long_file_is_read_to_its_end(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x 1\n" * 50_000 + "last 2\n")
    assert read_table(tmp_path / "file")["last"] == 2
