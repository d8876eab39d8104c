"""Modules become one file that does the same."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from apps.widget.joined_modules import NotJoinable, join_modules

FILES = {
    "w/main.js": (
        'import { twice, Shape } from "../c/shape.js";\n'
        'import { KEY } from "./key.js";\n'
        "export const answer = () => `${KEY} ${twice(21)} ${new Shape().name}`;\n"
    ),
    "c/shape.js": (
        'import { KEY } from "../w/key.js";\n'
        "const FACTOR = 2;\n"
        "export function twice(number) {\n  return FACTOR * number;\n}\n"
        "export class Shape {\n  name = KEY;\n"
        "  // <page>\n  area() {}\n  // </page>\n}\n"
    ),
    "w/key.js": 'const HIDDEN = "the";\nexport const KEY = HIDDEN;\n',
}


def test_the_joined_file_does_what_the_modules_do(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    (tmp_path / "all.mjs").write_text(join_modules("w/main.js", FILES.__getitem__))
    program = 'import { answer } from "./all.mjs"; console.log(answer());'
    (tmp_path / "run.mjs").write_text(program)
    run = subprocess.run(
        [node, str(tmp_path / "run.mjs")], capture_output=True, text=True, timeout=30, check=False
    )
    assert run.stdout == "the 42 the\n", run.stderr


def test_every_module_comes_once_and_before_its_users() -> None:
    joined = join_modules("w/main.js", FILES.__getitem__)
    assert joined.count("const FACTOR = 2") == joined.count('const HIDDEN = "the"') == 1
    assert joined.index('"the"') < joined.index("class Shape") < joined.index("twice(21)")


def test_what_only_the_page_needs_stays_out() -> None:
    joined = join_modules("w/main.js", FILES.__getitem__)
    assert "area" not in joined and "class Shape" in joined


def test_one_scope_has_one_owner_of_a_name() -> None:
    twice = FILES | {"w/key.js": 'const FACTOR = 3;\nexport const KEY = "the";\n'}
    with pytest.raises(NotJoinable, match=r"w/key\.js and c/shape\.js both declare FACTOR"):
        join_modules("w/main.js", twice.__getitem__)


@pytest.mark.parametrize(
    "source",
    [
        'import thing from "./key.js";',
        'import { KEY as thing } from "./key.js";',
        'import * as all from "./key.js";',
        "export default 1;",
        "export let number = 1;",
        'export { KEY } from "./key.js";',
    ],
)
def test_unknown_forms_are_refused(source: str) -> None:
    with pytest.raises(NotJoinable):
        join_modules("w/main.js", (FILES | {"w/main.js": source}).__getitem__)


def test_a_circle_is_refused() -> None:
    circle = FILES | {"w/key.js": 'import { answer } from "./main.js";\nexport const KEY = 1;\n'}
    with pytest.raises(NotJoinable, match="imports itself"):
        join_modules("w/main.js", circle.__getitem__)
