"""Constants where they are used."""

from __future__ import annotations

import pytest

from apps.widget.constants import put_constants


@pytest.mark.parametrize(
    ("script", "put"),
    [
        ("const MAX_MS = 1_000; // why\nwait(MAX_MS);", "wait(1_000);"),
        ('const KEY = "a";\nkeep(KEY, x.KEY, "KEY");', 'keep("a", x.KEY, "KEY");'),
        ("const MAX = 2;\n`${MAX} MAX`;", "`${2} MAX`;"),
        (
            "const A = Object.freeze({ ON: 1, OFF: 2 });\nx = [A.ON, b.A.ON, A.ON];",
            "x = [1, b.A.ON, 1];",
        ),
        ("const SET = new Set([1]);\nSET.has(1);", "let SET = new Set([1]);\nSET.has(1);"),
        ('f("const", x.const);', 'f("const", x.const);'),
        ("let MAX = 2;\nMAX;", "let MAX = 2;\nMAX;"),
    ],
)
def test_what_is_put(script: str, put: str) -> None:
    assert put_constants(script) == put
