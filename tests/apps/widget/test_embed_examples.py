"""The examples of docs/embed.md that run on an owner's server do what they promise."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable

import pytest

from apps.widget.models import Site
from apps.widget.user_tokens import read_user_jwt
from tests.embed_docs import PAGE, example
from tests.project_files import ROOT

HEADING = "Signed-in users"
WIDGET = ROOT / "apps/widget/static/widget"


@pytest.fixture
def site() -> Site:
    return Site(key="site_0123456789abcdef", identity_secret="s" * 43)


def with_python(site: Site) -> str:
    names: dict[str, Callable[..., str]] = {}
    exec(example(HEADING, "python"), names)
    return names["chat_jwt"](4711, site.key, site.identity_secret)


def run(program: str, *arguments: str) -> str:
    if shutil.which(program) is None:
        pytest.skip(f"no {program} here")
    done = subprocess.run(
        [program, *arguments], capture_output=True, text=True, timeout=30, check=True
    )
    return done.stdout


def with_node(site: Site) -> str:
    call = f'process.stdout.write(chatJwt(4711, "{site.key}", "{site.identity_secret}"))'
    return run("node", "--eval", example(HEADING, "js") + call)


def with_php(site: Site) -> str:
    call = f"echo chat_jwt(4711, '{site.key}', '{site.identity_secret}');"
    return run("php", "-r", example(HEADING, "php") + call)


@pytest.mark.parametrize("make", [with_python, with_node, with_php])
def test_identify_examples(make: Callable[[Site], str], site: Site) -> None:
    assert read_user_jwt(site=site, user_jwt=make(site)) == "4711"


def source(*names: str) -> str:
    return "".join((WIDGET / name).read_text() for name in names)


def test_every_command_exists() -> None:
    table = PAGE.read_text().split("## Commands")[1].split("\n## ")[0]
    calls = [row.split("|")[1] for row in table.splitlines() if row.startswith("| `Corral(")]
    names = {name for cell in calls for name in re.findall(r'\("(\w+)"', cell)}
    known = set()
    for name, start in (
        ("js/launcher.js", "const COMMANDS"),
        ("js/chat_panel.js", "const commands"),
    ):
        table = source(name).split(start)[1].split("\n    };" if "panel" in name else "\n};")[0]
        indent = re.search(r"\n( +)", table)
        assert indent is not None
        known |= set(re.findall(rf"^{indent[1]}(\w+)[(,:]", table, re.MULTILINE))
    assert names and names == known


def test_every_event_is_told() -> None:
    row = next(row for row in PAGE.read_text().splitlines() if '`Corral("on"' in row)
    events = set(re.findall(r"`(\w+)`", row.split("|")[2]))
    told = set(re.findall(r'emit\("(\w+)"', source("js/launcher.js", "js/chat_panel.js")))
    assert events == told | {"open", "close"}


def test_every_token_is_used() -> None:
    files = [*WIDGET.glob("*/*.*"), *(ROOT / "apps/ai_chat/static/ai_chat/css").glob("*.css")]
    # One is put together of a name and an axis.
    used = "".join(path.read_text() for path in files).replace("inset-${", "inset-x inset-y")
    named = set(re.findall(r"--corral-[a-z-]+", PAGE.read_text()))
    assert len(named) > 6
    assert {name for name in named if name not in used} == set()
