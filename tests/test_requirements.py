"""The pinned requirements: complete, hashed, free of addresses, and in step with each other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.project_files import ROOT

COMPILED = [
    ROOT / name
    for name in (
        "requirements.txt",
        "requirements-dev.txt",
        "requirements-train.txt",
        "deploy/make/pip.txt",
    )
]
PINNED = re.compile(r"^([a-z0-9][a-z0-9.-]*)==([^ ;\\]+)( ;.*)? \\$")
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}( \\)?$")


def pins(path: Path) -> dict[str, set[str]]:
    """Return the pinned versions of a compiled file; a package may have one for each platform."""
    found: dict[str, set[str]] = {}
    for line in path.read_text().splitlines():
        if match := PINNED.match(line):
            found.setdefault(match[1], set()).add(match[2])
    return found


def wanted(path: Path) -> set[str]:
    """Return the names a short *.in file asks for."""
    names = re.findall(r"^([A-Za-z0-9][A-Za-z0-9._-]*)", path.read_text(), re.MULTILINE)
    return {re.sub(r"[-_.]+", "-", name).lower() for name in names}


@pytest.mark.parametrize("path", COMPILED, ids=lambda path: path.name)
def test_only_pins_and_hashes(path: Path) -> None:
    """Nothing else: no address, no option, no path, no unpinned or unhashed package."""
    lines = path.read_text().splitlines()
    odd = [line for line in lines if not (line.lstrip().startswith("#") or PINNED.match(line))]
    assert [line for line in odd if not HASH.match(line)] == []
    assert "://" not in path.read_text()
    for line, following in zip(lines, lines[1:], strict=False):
        if PINNED.match(line):
            assert HASH.match(following), f"{line} has no hash"


@pytest.mark.parametrize("path", COMPILED, ids=lambda path: path.name)
def test_everything_asked_for_is_pinned(path: Path) -> None:
    assert wanted(path.with_suffix(".in")) <= set(pins(path))


def test_development_has_the_same_versions() -> None:
    web, dev = pins(COMPILED[0]), pins(COMPILED[1])
    assert {name: dev.get(name) for name in web} == web


def test_packages_with_known_holes_stay_out() -> None:
    """Before these versions a socket message or a JSON body had no size limit."""
    web = pins(COMPILED[0])

    def version(name: str) -> tuple[int, ...]:
        return tuple(int(part) for part in min(web[name]).split("."))

    assert version("daphne") >= (4, 2, 2)
    assert version("djangorestframework") >= (3, 18)
    assert version("django")[:2] == (5, 2)
