"""``manage.py widget_order`` keeps the names in the order it found."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import call_command

from apps.widget.management.commands import widget_order


def test_the_order_that_was_found_is_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "order.txt"
    monkeypatch.setattr(widget_order, "KEPT_IN", kept)
    call_command("widget_order", tries=1)
    names = kept.read_text().split()
    assert "ChatPanel" in names and len(names) == len(set(names)) > 50
    assert capsys.readouterr().out == f"{len(names)} names in order.txt\n"
