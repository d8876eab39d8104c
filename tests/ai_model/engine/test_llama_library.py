"""The engine loads llama.cpp's functions and nothing else of its package."""

from __future__ import annotations

import os
import subprocess
import sys

CODE = """
import sys
from ai_model.engine import Engine
heavy = {"numpy", "jinja2", "diskcache", "django", "llama_cpp"} & set(sys.modules)
assert not heavy, heavy
import os
assert os.environ["GOMP_SPINCOUNT"] == "3000"
import llama_cpp
assert llama_cpp.Llama and llama_cpp.llama_cpp.llama_decode
"""


def test_package_stays_out_and_can_still_be_imported() -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith("OMP_")}
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
        env={name: value for name, value in env.items() if not name.startswith("GOMP_")},
    )
    assert done.returncode == 0, done.stderr
