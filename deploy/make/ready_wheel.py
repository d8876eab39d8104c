"""llama.cpp compiled on another machine: which wheels there can be, and which one fits this one.

``make wheel`` (wheel.py) makes them; they lie in ``wheels/NAME OF THE KIND/``.
"""

from __future__ import annotations

import hashlib
import platform
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from deploy.make.llama_build import PACKAGE, pinned_block

DIRECTORY = "wheels"
LOADS = """
import ctypes, pathlib, importlib.util
places = importlib.util.find_spec("llama_cpp").submodule_search_locations
ctypes.CDLL(pathlib.Path(places[0], "lib", "libllama.so"))
"""
"""Python that fails unless the compiled library loads; needs no other package."""
_CHUNK_BYTES = 1 << 20
_V3 = frozenset({"avx", "avx2", "bmi2", "f16c", "fma", "sse4_2"})
_V4 = _V3 | {"avx512bw", "avx512cd", "avx512dq", "avx512f", "avx512vl"}
_SWITCHES = ("SSE42", "AVX", "AVX2", "BMI2", "F16C", "FMA", "AVX512", "AVX512_VNNI")
"""All that a kind decides about; what it does not turn on is turned off."""
_V3_SWITCHES = _SWITCHES[:6]


@dataclass(frozen=True, slots=True)
class Kind:
    """A set of instructions to compile for."""

    name: str
    machine: str
    needs: frozenset[str]
    """Flags in /proc/cpuinfo without which what was compiled ends with an illegal instruction."""
    switches: tuple[str, ...]
    """What llama.cpp is to use of a processor of the x86 family."""

    def cmake_args(self) -> str:
        """Return the options for CMake."""
        if self.machine != "x86_64":
            return "-DGGML_NATIVE=OFF"
        chosen = (f"-DGGML_{name}={'ON' if name in self.switches else 'OFF'}" for name in _SWITCHES)
        return " ".join(("-DGGML_NATIVE=OFF", *chosen))


KINDS = (
    Kind("x86-64-v4-vnni", "x86_64", _V4 | {"avx512_vnni"}, _SWITCHES),
    Kind("x86-64-v4", "x86_64", _V4, _SWITCHES[:7]),
    Kind("x86-64-v3", "x86_64", _V3, _V3_SWITCHES),
    Kind("x86-64-v2", "x86_64", frozenset({"sse4_2"}), _SWITCHES[:1]),
    Kind("aarch64", "aarch64", frozenset(), ()),
)
"""The quickest first."""
DEFAULT_KIND = {"x86_64": "x86-64-v3"}
"""What almost every machine that can be rented knows."""


def cpu_flags(cpuinfo: Path = Path("/proc/cpuinfo")) -> frozenset[str]:
    """Return what the processor can do, in the kernel's words; nothing if it cannot be read."""
    try:
        text = cpuinfo.read_text(errors="replace")
    except OSError:
        return frozenset()
    found = re.search(r"^flags\s*:(.*)$", text, re.MULTILINE)
    return frozenset(found[1].split()) if found else frozenset()


def pinned_version(pinned: str) -> str:
    """Return the version in the lines that pin llama-cpp-python; "" when there are none."""
    found = re.match(rf"{PACKAGE}==([^\s;\\]+)", pinned)
    return found[1] if found else ""


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    sha256 = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            sha256.update(chunk)
    return sha256.hexdigest()


def sum_path(wheel: Path) -> Path:
    """Return the file with the checksum of a wheel, written last: without it a wheel is half."""
    return wheel.with_name(f"{wheel.name}.sha256")


def find_wheel(
    directory: Path,
    pinned: str,
    *,
    machine: str = "",
    flags: Iterable[str] | None = None,
) -> Path | None:
    """Return the best whole wheel of the pinned version that this processor can run; or None."""
    version = pinned_version(pinned)
    machine = machine or platform.machine()
    known = cpu_flags() if flags is None else frozenset(flags)
    if not version:
        return None
    for kind in KINDS:
        if kind.machine != machine or not kind.needs <= known:
            continue
        for wheel in sorted((directory / kind.name).glob(f"llama_cpp_python-{version}-*.whl")):
            if is_whole(wheel):
                return wheel
    return None


def is_whole(wheel: Path) -> bool:
    """Say whether a wheel is what was made, not half of it."""
    try:
        return sum_path(wheel).read_text().split()[:1] == [digest(wheel)]
    except OSError:
        return False


def requirement(wheel: Path) -> str:
    """Return the line for pip, with the checksum it insists on."""
    return f"{PACKAGE} @ {wheel.resolve().as_uri()} --hash=sha256:{digest(wheel)}\n"


def main() -> int:
    """Name the wheel that an installation here would take; exit code 1 when there is none."""
    root = Path(__file__).resolve().parents[2]
    pinned = pinned_block((root / "requirements.txt").read_text())
    wheel = find_wheel(root / DIRECTORY, pinned)
    if wheel is not None:
        print(wheel)
    return 0 if wheel is not None else 1


if __name__ == "__main__":
    sys.exit(main())
