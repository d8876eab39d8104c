"""Every benchmark runs to its end and reports the keys its readers count on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from tests.ai_model.tiny_model import build_tiny_model

KEYS = {
    "decode": {"instances", "context", "engine_tok_s", "bare_tok_s"},
    "memory": {"instances", "pss_mb"},
    "reuse": {"case", "ttft_s", "cached_tokens", "new_tokens"},
    "cancel": {"case", "p50_ms", "p95_ms"},
    "stall": {"itl_p95_ms", "itl_p95_with_prefill_ms"},
    "chat": {"system", "tok_s", "ttft_p50_s", "ttft_p95_s", "total_p50_s", "total_p95_s"},
}
TOTALS = {
    "decode": {"bandwidth_gb_s", "roofline_tok_s"},
    "memory": {"mb_per_instance"},
    "reuse": {"prefill_new_only_s"},
}


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", list(KEYS))
def test_benchmark_reports(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model = build_tiny_model(tmp_path / "tiny.gguf", n_ctx=2048)
    target = tmp_path / "result.json"
    arguments = ["benchmarks", name, "--model", str(model), "--json", str(target), "--quick"]
    monkeypatch.setattr("sys.argv", arguments)
    assert command.main() == 0
    result = json.loads(target.read_text())
    assert result["name"] == name
    assert {"machine", "model", "date"} | TOTALS.get(name, set()) <= set(result)
    assert result["rows"]
    assert all(KEYS[name] <= set(row) for row in result["rows"])
    assert name in capsys.readouterr().out


def test_missing_model_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["benchmarks", "decode", "--model", "/nowhere.gguf"])
    with pytest.raises(SystemExit):
        command.main()
    assert "there is no file /nowhere.gguf" in capsys.readouterr().err
