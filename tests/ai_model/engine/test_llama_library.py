"""The engine loads llama.cpp's functions and nothing else of its package."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import sys
from ai_model.engine import Engine
heavy = {"numpy", "jinja2", "diskcache", "django", "llama_cpp"} & set(sys.modules)
assert not heavy, heavy
import os
assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE"
import llama_cpp
assert llama_cpp.Llama and llama_cpp.llama_cpp.llama_decode
"""


def test_package_stays_out_and_can_still_be_imported() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CODE], capture_output=True, text=True, timeout=50, check=False
    )
    assert done.returncode == 0, done.stderr
