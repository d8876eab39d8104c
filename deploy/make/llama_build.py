"""How llama.cpp is compiled for this machine, and where the result is kept for the next time."""

from __future__ import annotations

import hashlib
import os
import shlex
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

PACKAGE = "llama-cpp-python"
WISHED_FLAGS = (
    "-mno-avx512fp16",
    "-fno-tree-dse",
    "-fno-dse",
)
"""Flags for C and C++, each used only where the compiler knows it: decision 0008.

With AVX512-FP16 llama.cpp's attention over heads of 64 values (TinyLlama's) is not vectorised; and
GCC 12 drops stores that AMX needs as dead.
"""

LIBRARY_ONLY = Path(__file__).with_name("library_only.cmake")


def library_args() -> str:
    """Return options that leave out what only llama.cpp's own programs and pictures need: 74 files
    are compiled in place of 178."""
    return f"-DLLAVA_BUILD=OFF -DCMAKE_PROJECT_INCLUDE={shlex.quote(str(LIBRARY_ONLY))}"


def does_compiler_accept(flag: str, compiler: str) -> bool:
    """Say whether ``compiler`` compiles an empty file with ``flag`` and without a complaint."""
    command = [*shlex.split(compiler), "-Werror", flag, "-x", "c", "-c", "/dev/null", "-o"]
    try:
        tried = subprocess.run([*command, "/dev/null"], capture_output=True, timeout=60)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return False
    return tried.returncode == 0


def cmake_args(
    environment: Mapping[str, str],
    accepts: Callable[[str, str], bool] = does_compiler_accept,
) -> str:
    """Return CMAKE_ARGS for the build: what ``environment`` asks for already, and our flags."""
    compiler = environment.get("CC", "cc")
    flags = " ".join(flag for flag in WISHED_FLAGS if accepts(flag, compiler))
    given = environment.get("CMAKE_ARGS", "")
    if not flags:
        return given
    ours = [
        f"-DCMAKE_{language}_FLAGS={environment.get(variable, '')} {flags}".replace("= ", "=")
        for language, variable in (("C", "CFLAGS"), ("CXX", "CXXFLAGS"))
        if f"CMAKE_{language}_FLAGS" not in given
    ]
    return " ".join(filter(None, [given, *map(shlex.quote, ours)]))


def wheel_cache(environment: Mapping[str, str], args: str) -> Path:
    """Return pip's cache directory for builds with these CMAKE_ARGS.

    pip does not look at CMAKE_ARGS when it takes a wheel from its cache, so builds with different
    ones must not share a cache.
    """
    base = environment.get("PIP_CACHE_DIR") or os.path.join(
        environment.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "pip"
    )
    return Path(base) / f"corral-{hashlib.sha256(args.encode()).hexdigest()[:12]}"


def pinned_block(requirements: str) -> str:
    """Return the lines of a requirements file that pin llama-cpp-python with its hashes; "" when
    there are none."""
    block: list[str] = []
    for line in requirements.splitlines():
        if line.startswith(f"{PACKAGE}=="):
            block = [line]
        elif block and line.lstrip().startswith("--hash"):
            block.append(line)
        elif block:
            break
    # The last line may go on with a comment that is not taken.
    return "\n".join(block).rstrip(" \\") + "\n" if block else ""
