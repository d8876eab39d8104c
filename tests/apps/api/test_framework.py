"""What the web process does without."""

from __future__ import annotations

import subprocess
import sys

from tests.project_files import ROOT

UNWANTED = ("pygments", "yaml", "requests", "numpy", "jinja2", "llama_cpp", "jsonschema", "rich")
SITE = f"""
import sys, django
django.setup()
from django.urls import get_resolver
get_resolver().url_patterns
from apps.ai_chat.routing import websocket_urlpatterns
assert "rest_framework.compat" in sys.modules
print(*(name for name in {UNWANTED} if name in sys.modules))
import pygments, yaml
"""


def test_what_nobody_uses_is_not_loaded_and_can_be_loaded_later() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SITE], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr
