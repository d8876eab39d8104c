"""``make wheel``: what is compiled, how, and where it ends up."""

from __future__ import annotations

import io
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from deploy.make import llama_build, ready_wheel, wheel
from deploy.make.environment import InstallError
from deploy.make.pip_output import PipOutput, Progress

NAME = "llama_cpp_python-0.3.36-py3-none-linux_x86_64.whl"


@pytest.fixture(autouse=True)
def on_x86(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setattr(llama_build, "does_compiler_accept", lambda *_: True)
    monkeypatch.setattr(wheel, "ROOT", tmp_path)
    (tmp_path / "requirements.txt").write_text(
        "django==5 --hash=sha256:1\nllama-cpp-python==0.3.36 \\\n    --hash=sha256:2\n"
    )


def test_the_kind_that_most_machines_know_is_the_default() -> None:
    assert wheel.kind_called("").name == "x86-64-v3"
    assert wheel.kind_called("x86-64-v2").name == "x86-64-v2"
    with pytest.raises(InstallError, match="x86-64-v3"):
        wheel.kind_called("aarch64")


def test_ours_and_the_owners_options_reach_cmake() -> None:
    kind = wheel.kind_called("")
    args = shlex.split(wheel.build_settings(kind, {"CMAKE_ARGS": "-DGGML_LTO=ON"})["CMAKE_ARGS"])
    assert {"-DGGML_NATIVE=OFF", "-DGGML_AVX2=ON", "-DGGML_AVX512=OFF", "-DGGML_LTO=ON"} <= set(
        args
    )
    assert args.index("-DGGML_LTO=ON") > args.index("-DGGML_NATIVE=OFF"), "the owner's count last"
    assert "-DLLAVA_BUILD=OFF" in args
    included = [one.partition("=")[2] for one in args if one.startswith("-DCMAKE_PROJECT_INCLUDE=")]
    assert "set(LLAMA_BUILD_COMMON OFF)" in Path(included[0]).read_text(), "only the library"


def test_pip_compiles_what_is_pinned_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    def run(
        command: Sequence[str], log: Path, feed: PipOutput, lock: int, settings: Mapping[str, str]
    ) -> None:
        told.extend([*command, settings["CMAKE_ARGS"]])
        assert Path(command[-1]).read_text().startswith("llama-cpp-python==0.3.36")
        (Path(command[command.index("-w") + 1]) / NAME).write_bytes(b"wheel")

    monkeypatch.setattr(wheel, "run", run)
    made = wheel.make(wheel.kind_called(""), Progress(io.StringIO()))
    assert made == tmp_path / "wheels/x86-64-v3" / NAME
    assert ready_wheel.is_whole(made)
    assert {"wheel", "--no-deps", "--require-hashes", "--no-binary"} <= set(told)
    assert "-DGGML_NATIVE=OFF" in told[-1]
    assert {path.name for path in made.parent.iterdir()} == {NAME, f"{NAME}.sha256"}


def test_an_interruption_leaves_nothing_that_would_be_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(command: Sequence[str], *_: object) -> None:
        (Path(command[command.index("-w") + 1]) / NAME).write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(wheel, "run", run)
    with pytest.raises(KeyboardInterrupt):
        wheel.make(wheel.kind_called(""), Progress(io.StringIO()))
    assert not list((tmp_path / "wheels").rglob("*.whl"))


def test_a_build_for_elsewhere_shares_no_cache_with_that_of_this_machine() -> None:
    settings = wheel.build_settings(wheel.kind_called(""), {})
    ours = llama_build.wheel_cache({}, llama_build.cmake_args({}))
    assert llama_build.wheel_cache({}, settings["CMAKE_ARGS"]) != ours
