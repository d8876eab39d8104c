"""Model files seen from outside by what processes map."""

from __future__ import annotations

from pathlib import Path

from ai_model.memory.mapped_models import mapped_models

MAPS = """\
7f00-7f10 r--s 00000000 fe:01 99                         /srv/my models/tiny.gguf
7f10-7f20 r--s 00001000 fe:01 99                         /srv/my models/tiny.gguf
7f20-7f30 r-xp 00000000 fe:01 12                         /usr/lib/libc.so.6
7f30-7f40 rw-p 00000000 00:00 0 
7f40-7f50 r--s 00000000 fe:01 98                         /srv/old.gguf (deleted)
7f50-7f60 rw-p 00000000 00:00 0                          [heap]
"""  # noqa: W291


def test_each_file_once_however_many_map_it(tmp_path: Path) -> None:
    for pid in ("7", "8"):
        (tmp_path / pid).mkdir()
        (tmp_path / pid / "maps").write_text(MAPS)
    models = mapped_models([7, 8, 9], proc=tmp_path)
    assert models == [Path("/srv/my models/tiny.gguf")]


def test_nobody_maps_anything(tmp_path: Path) -> None:
    assert mapped_models([], proc=tmp_path) == mapped_models([1], proc=tmp_path) == []
