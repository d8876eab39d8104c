"""Functions and classes in the order that packs best: nothing is lost, what is odd is refused."""

from __future__ import annotations

import pytest

from apps.widget.packing_order import (
    better_order,
    kept_order,
    movable_names,
    put_in_order,
)

MODULES = """const A = 1;
function one() {
  return A;
}
Object.assign(A, {
});
/** Two. */
class Two {
  a() {
  }
}
async function three() {
}
"""


def test_what_is_declared_at_the_top_is_put_in_order_behind_everything_else() -> None:
    assert movable_names(MODULES) == ["one", "Two", "three"]
    arranged = put_in_order(MODULES, ["three", "gone", "one"])
    assert movable_names(arranged) == ["three", "one", "Two"]
    assert arranged.startswith("const A = 1;\nObject.assign(A, {\n});\n")
    assert sorted(arranged) == sorted(MODULES)


def minified(order: list[str]) -> str:
    words = {"f": "abcdefgh" * 9, "g": "12345678" * 9, "h": "abcdefgh" * 8}
    parts = "".join(f'function {name}(){{return"({words[name]}"}}' for name in order)
    return f"export let{{f}}=(()=>{{let x=1;{parts}return{{f}}}})()"


def test_likes_stand_together_after_some_tries() -> None:
    better = better_order(minified(["f", "g", "h"]), ["one", "two", "three"], tries=40)
    assert abs(better.index("one") - better.index("three")) == 1
    assert sorted(better) == ["one", "three", "two"]


def test_names_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="2 names for 3"):
        better_order(minified(["f", "g", "h"]), ["one", "two"], tries=1)


def test_an_order_is_kept() -> None:
    names = kept_order()
    assert "ChatPanel" in names and len(names) == len(set(names))
