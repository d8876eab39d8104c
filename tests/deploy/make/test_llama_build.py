"""llama.cpp is compiled with our flags where the compiler knows them, and cached by them."""

from __future__ import annotations

import shlex
from pathlib import Path

from deploy.make.llama_build import (
    PACKAGE,
    WISHED_FLAGS,
    cmake_args,
    does_compiler_accept,
    pinned_block,
    wheel_cache,
)
from tests.project_files import ROOT


def accept_all(flag: str, compiler: str) -> bool:
    """A compiler that knows every flag."""
    return True


def test_a_compiler_is_asked_for_each_flag() -> None:
    args = cmake_args({}, lambda flag, compiler: flag == "-fno-dse")
    assert shlex.split(args) == ["-DCMAKE_C_FLAGS=-fno-dse", "-DCMAKE_CXX_FLAGS=-fno-dse"]


def test_what_the_owner_asks_for_stays() -> None:
    given = {"CMAKE_ARGS": "-DGGML_CUDA=on -DCMAKE_C_FLAGS=-O2", "CXXFLAGS": "-g"}
    flags = " ".join(WISHED_FLAGS)
    assert shlex.split(cmake_args(given, accept_all)) == [
        "-DGGML_CUDA=on",
        "-DCMAKE_C_FLAGS=-O2",
        f"-DCMAKE_CXX_FLAGS=-g {flags}",
    ]


def test_an_old_compiler_gets_no_flags() -> None:
    assert cmake_args({"CMAKE_ARGS": "-DX=1"}, lambda flag, compiler: False) == "-DX=1"


def test_the_real_compiler_refuses_what_it_does_not_know() -> None:
    assert not does_compiler_accept("-mno-such-processor", "cc")
    assert not does_compiler_accept("-O2", "no-such-compiler")


def test_other_flags_have_another_cache() -> None:
    environment = {"PIP_CACHE_DIR": "/cache"}
    one, two = (wheel_cache(environment, args) for args in ("a", "b"))
    assert one != two
    assert one.parent == two.parent == Path("/cache")
    assert wheel_cache({"XDG_CACHE_HOME": "/x"}, "a").parent == Path("/x/pip")


def test_the_pin_is_found_in_every_file_that_is_installed() -> None:
    blocks = {
        pinned_block((ROOT / name).read_text())
        for name in ("requirements.txt", "requirements-dev.txt")
    }
    assert len(blocks) == 1
    block = blocks.pop()
    assert block.startswith(f"{PACKAGE}==")
    assert "--hash=sha256:" in block
    assert not block.rstrip().endswith("\\")


def test_a_file_without_the_package_has_no_pin() -> None:
    assert pinned_block("django==5.2 \\\n    --hash=sha256:00\n") == ""
