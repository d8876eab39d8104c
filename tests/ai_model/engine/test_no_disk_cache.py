"""llama-cpp-python brings diskcache along, which unpickles whatever lies in its directory.

There is no fixed release (CVE-2025-69872), so it must never open one.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys

import pytest

from ai_model.trial import QUESTION
from tests.live import DEMO_MODEL
from tests.project_files import ROOT, project_files, relative

PROGRAM = """
import json, sys

seen = []
opened = []

def watch(event, arguments):
    if event in ("pickle.find_class", "sqlite3.connect"):
        seen.append(event)
    elif event in ("open", "os.mkdir") and "cache.db" in str(arguments[0]):
        opened.append(str(arguments[0]))

sys.addaudithook(watch)
from pathlib import Path
from ai_model.demo.ask import DemoModel

with DemoModel(Path(sys.argv[1])) as model:
    answer = model.ask([{"role": "user", "content": sys.argv[2]}])
print(json.dumps({
    "is_there": "diskcache" in sys.modules, "seen": seen, "opened": opened, "answer": answer,
}))
"""


@pytest.mark.skipif(not DEMO_MODEL.is_file(), reason="`make demo-model` trains the demo model")
def test_loading_and_answering_opens_no_cache() -> None:
    """It is not even imported: the engine takes the module of C functions alone."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(DEMO_MODEL), QUESTION],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    told = json.loads(done.stdout.strip().splitlines()[-1])
    assert told["answer"] and not told["is_there"]
    assert told["seen"] == told["opened"] == []


def test_nobody_here_makes_one() -> None:
    """Nor unpickles anything of another kind, outside of the tests."""
    forbidden = {"diskcache", "pickle", "shelve", "marshal", "LlamaDiskCache", "LlamaCache"}
    found = {
        (relative(path), name)
        for path in project_files(".py")
        if not relative(path).startswith("tests/")
        for node in ast.walk(ast.parse(path.read_text()))
        for name in _names(node)
        if name in forbidden
    }
    assert found == set()


def _names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name.split(".")[0] for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [(node.module or "").split(".")[0], *(alias.name for alias in node.names)]
    return [node.attr] if isinstance(node, ast.Attribute) else []
