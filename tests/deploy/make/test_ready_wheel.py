"""Which wheel of llama.cpp an installation takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.make import ready_wheel
from deploy.make.ready_wheel import KINDS, Kind, cpu_flags, digest, find_wheel, requirement

PINNED = "llama-cpp-python==0.3.36 \\\n    --hash=sha256:abc\n"
V3 = {"avx", "avx2", "bmi2", "f16c", "fma", "sse4_2"}
V4 = V3 | {"avx512bw", "avx512cd", "avx512dq", "avx512f", "avx512vl"}


def put(directory: Path, kind: str, *, version: str = "0.3.36", is_whole: bool = True) -> Path:
    """Make a wheel and its checksum."""
    wheel = directory / kind / f"llama_cpp_python-{version}-py3-none-linux_x86_64.whl"
    wheel.parent.mkdir(parents=True, exist_ok=True)
    wheel.write_bytes(kind.encode())
    ready_wheel.sum_path(wheel).write_text(f"{digest(wheel)}  {wheel.name}\n")
    if not is_whole:
        wheel.write_bytes(b"half")
    return wheel


def found(directory: Path, flags: set[str], machine: str = "x86_64") -> Path | None:
    return find_wheel(directory, PINNED, machine=machine, flags=flags)


def test_the_quickest_that_the_processor_can_run(tmp_path: Path) -> None:
    v2, v3, v4 = (put(tmp_path, f"x86-64-{name}") for name in ("v2", "v3", "v4"))
    assert found(tmp_path, V4) == v4
    assert found(tmp_path, V4 | {"avx512_vnni"}) == v4
    assert found(tmp_path, V3) == v3
    assert found(tmp_path, V3 - {"fma"}) == v2
    assert found(tmp_path, {"sse2"}) is None
    assert found(tmp_path, V4, machine="aarch64") is None


def test_half_a_wheel_and_another_version_are_not_taken(tmp_path: Path) -> None:
    put(tmp_path, "x86-64-v3", version="0.3.35")
    assert found(tmp_path, V3) is None
    put(tmp_path, "x86-64-v3", is_whole=False)
    assert found(tmp_path, V3) is None
    wheel = put(tmp_path, "x86-64-v3")
    assert found(tmp_path, V3) == wheel
    ready_wheel.sum_path(wheel).unlink()
    assert found(tmp_path, V3) is None


def test_without_a_pin_or_a_directory_nothing_is_taken(tmp_path: Path) -> None:
    put(tmp_path, "x86-64-v3")
    assert find_wheel(tmp_path, "", machine="x86_64", flags=V3) is None
    assert found(tmp_path / "nowhere", V3) is None


def test_pip_is_told_the_checksum(tmp_path: Path) -> None:
    wheel = put(tmp_path, "x86-64-v3")
    assert requirement(wheel) == (
        f"llama-cpp-python @ file://{wheel} --hash=sha256:{digest(wheel)}\n"
    )


def test_flags_are_those_of_the_kernel(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor\t: 0\nmodel name\t: fma\nflags\t\t: fpu sse4_2 avx\nbugs\t: x\n")
    assert cpu_flags(cpuinfo) == {"fpu", "sse4_2", "avx"}
    assert cpu_flags(tmp_path / "nothing") == frozenset()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_nothing_is_compiled_for_the_machine_that_compiles(kind: Kind) -> None:
    words = kind.cmake_args().split()
    assert words[0] == "-DGGML_NATIVE=OFF"
    # What is turned on must be asked of the processor: every instruction set has its flag.
    flag = {"SSE42": "sse4_2", "AVX512": "avx512f"}
    turned_on = [word[len("-DGGML_") : -len("=ON")] for word in words[1:] if word.endswith("=ON")]
    assert {flag.get(name, name.lower()) for name in turned_on} <= kind.needs
    # llama.cpp turns the first six on by itself, unless told otherwise.
    if kind.machine == "x86_64":
        assert len(words) == 9


def test_the_command_says_whether_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ready_wheel, "find_wheel", lambda *_: None)
    assert ready_wheel.main() == 1
    monkeypatch.setattr(ready_wheel, "find_wheel", lambda *_: tmp_path / "a.whl")
    assert ready_wheel.main() == 0
    assert "a.whl" in capsys.readouterr().out
