"""llama.cpp as the engine uses it: the package's C interface alone, with polite threads.

Everything in the engine takes ``lib`` from here, so that what must be set before the library is
loaded is set in time.
"""

from __future__ import annotations

import importlib
import os
import sys
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING

_PACKAGE = "llama_cpp"
SPIN_COUNT = 3000
"""Turns that a thread of libgomp spins before it sleeps; a hundredth of its own default."""


def _load() -> ModuleType:
    """Import the package's module of C functions without the rest of the package.

    The package's own ``__init__`` brings in numpy, jinja2 and, through its disk cache, even Django:
    22 MB that a small server needs for other things. So a bare stand-in takes its place while the
    module is imported, and is gone afterwards: whoever imports the package later gets all of it.
    """
    # Threads of OpenMP wait for each other several hundred times in a step. By default they spin
    # so long that a step stalls while somebody else has the other core: decision 0007.
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", str(SPIN_COUNT))
    if _PACKAGE in sys.modules:
        return importlib.import_module(f"{_PACKAGE}.llama_cpp")
    found = find_spec(_PACKAGE)
    if found is None or found.submodule_search_locations is None:
        raise ModuleNotFoundError("llama-cpp-python is not installed", name=_PACKAGE)
    stand_in = ModuleType(_PACKAGE)
    stand_in.__path__ = list(found.submodule_search_locations)
    sys.modules[_PACKAGE] = stand_in
    try:
        return importlib.import_module(f"{_PACKAGE}.llama_cpp")
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == _PACKAGE]:
            del sys.modules[name]


if TYPE_CHECKING:
    from llama_cpp import llama_cpp as lib
else:
    lib = _load()

__all__ = ["lib"]
