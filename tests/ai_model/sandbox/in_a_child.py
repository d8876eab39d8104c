"""Runs a few lines in a process of its own, since what is given up there is given up for good."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
_BEFORE = """
import errno, json, os, socket, sys, threading
from pathlib import Path
from ai_model.sandbox.sandbox import Needs, Sandbox, SandboxMode, SandboxMissing, confine
from ai_model.sandbox import file_access, kernel, system_calls

told = {}

def attempt(name, act):
    try:
        told[name] = act() or "done"
    except OSError as error:
        told[name] = errno.errorcode[error.errno]

"""


def in_a_child(program: str, *arguments: object) -> dict[str, Any]:
    """Run ``program`` and return what it has put into ``told``."""
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            _BEFORE + textwrap.dedent(program) + "\nprint(json.dumps(told), flush=True)\n",
            *map(str, arguments),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told
