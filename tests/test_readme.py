"""What README and docs promise exists: links, pictures, make targets and commands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.management import get_commands

from tests.project_files import ROOT, project_files, relative

PAGES = [
    path
    for path in project_files(".md")
    if path.parent == ROOT or relative(path).startswith(("docs/", "deploy/"))
]
LINK = re.compile(r"\]\(([^)\s]+)\)")
MAKE = re.compile(r"`make ([a-z-]+)[^`]*`|^\s*(?:\$ )?make ([a-z-]+)", re.MULTILINE)
MANAGE = re.compile(r"manage\.py ([a-z_]+)")


def heading_anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as Git hosting sites make them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {
        re.sub(r"[^a-z0-9 _-]", "", heading.lower()).strip().replace(" ", "-")
        for heading in headings
    }


def broken_links(page: Path) -> list[str]:
    """Return the links of a page that lead to no file or to no heading."""
    broken = []
    for target in LINK.findall(page.read_text()):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        if not file.exists() or (
            anchor and file.suffix == ".md" and anchor not in heading_anchors(file)
        ):
            broken.append(target)
    return broken


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_links_lead_somewhere(page: Path) -> None:
    assert broken_links(page) == []


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# One two\n[a](page.md#one-two) [b](page.md#three) [c](gone.md)\n")
    assert broken_links(page) == ["page.md#three", "gone.md"]


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_make_targets_exist(page: Path) -> None:
    known = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {first or second for first, second in MAKE.findall(page.read_text())}
    assert named <= known


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_commands_exist(page: Path) -> None:
    assert set(MANAGE.findall(page.read_text())) <= set(get_commands())


def test_the_readme_shows_the_page_and_stays_short() -> None:
    readme = (ROOT / "README.md").read_text()
    picture = ROOT / "docs/screenshots/desktop.png"
    assert "docs/screenshots/desktop.png" in readme
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size < 400_000
    assert "make run" in readme and "make test" in readme
    assert len(readme.split()) < 700


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs/README.md").read_text()
    missing = [
        path.name
        for path in (ROOT / "docs").glob("*.md")
        if path.name != "README.md" and f"({path.name})" not in index
    ]
    assert missing == []
