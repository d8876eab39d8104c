"""Keeps what Django REST framework would load and nobody here uses out of the web process."""

from __future__ import annotations

import importlib
import sys
from typing import cast

UNUSED = ("pygments", "yaml", "requests")
"""It colours code in pages for developers, writes YAML, and has a client for tests, whenever the
package for it happens to be installed. Without them the process needs 2 MB less, with the packages
of a development environment 5."""


def load_lean() -> None:
    """Let the framework look for its optional packages as if those were not installed.

    They can be imported as ever afterwards. Called once, while there is a single thread; does
    nothing if the framework has looked already.
    """
    modules = cast("dict[str, object]", sys.modules)
    hidden = [name for name in UNUSED if name not in modules]
    # What stands there as None cannot be imported.
    modules.update(dict.fromkeys(hidden))
    try:
        importlib.import_module("rest_framework.compat")
    finally:
        for name in hidden:
            del modules[name]
