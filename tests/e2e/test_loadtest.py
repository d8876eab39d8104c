"""``manage.py loadtest`` against a real server with the demo model and a few visitors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.live import live_server_process

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(150)]


def test_a_few_visitors_and_two_sizes(tmp_path: Path) -> None:
    with live_server_process(
        max_tok_s=60, wait_for_model=True, CORRAL_MAX_INSTANCES="3", CORRAL_MAX_TOKENS="16"
    ) as server:
        common = ("--users", "3", "--turns", "2", "--think", "0.2", "--answer-tokens", "16")
        sizes = ("--pool-sizes", "1,2")
        plan = server.manage("plan_capacity", *common, *sizes, "--json")
        (tmp_path / "plan.json").write_text(plan.stdout)
        assert "the running pool" in json.loads(plan.stdout)["figures"]["source"]
        done = server.manage(
            *("loadtest", *common, *sizes, "--url", server.url, "--json"),
            *("--plan", str(tmp_path / "plan.json"), "--out", str(tmp_path / "out")),
            timeout_s=100,
        )
        assert done.returncode == 0, done.stderr
        result = json.loads(done.stdout)
        assert [run["num_instances"] for run in result["runs"]] == [1, 2]
        for run in result["runs"]:
            assert run["total_s"]["num"] == 6
            assert run["num_failed"] == 0
            assert 0 < run["ttft_s"]["p50"] <= run["total_s"]["p50"]
        assert result["compared"]
        names = sorted(path.suffix for path in (tmp_path / "out").iterdir())
        assert names == [".html", ".json"]
        # The pool has its size back, and nothing is left of the visitors.
        assert json.loads(server.manage("pool", "status", "--json").stdout)["max_instances"] == 3
        counted = server.manage(
            "shell", "-c", "from apps.ai_chat.models import Message as M; print(M.objects.count())"
        )
        assert counted.stdout.split()[-1] == "0"
        wrong = server.manage("loadtest", "--url", "http://127.0.0.1:1", "--users", "1")
        assert wrong.returncode == 2
        assert "cannot be reached" in wrong.stderr
