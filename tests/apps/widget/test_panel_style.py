"""A page's style in a shadow root on a page of others."""

from __future__ import annotations

import pytest

from apps.widget.panel_style import fit_for_shadow


@pytest.mark.parametrize(
    ("css", "fit"),
    [
        (":root { color: red }", ":host { color: red }"),
        ("a { margin: calc(1rem + 2px) -0.5rem }", "a { margin: calc(16px + 2px) -8px }"),
        ("a { padding: 0.4rem; border: 0.1rem }", "a { padding: 6px; border: 1.6px }"),
        ("@media (width < 3rem) { a {} }", "@media (width < 48px) { a {} }"),
        ("a { max-inline-size: 2px; block-size: 3px }", "a { max-width: 2px; height: 3px }"),
        ("a { margin-block-start: 1px }", "a { margin-top: 1px }"),
        ("a { transition: inline-size 1s }", "a { transition: inline-size 1s }"),
        ("/* a\nnote */a {}", "a {}"),
        ("a {}/* <page> */\nb {}\n/* </page> */ c {}", "a {} c {}"),
        ("a { --x: f(1,  2) }", "a { --x: f(1,2) }"),
    ],
)
def test_what_becomes_of_it(css: str, fit: str) -> None:
    assert fit_for_shadow(css) == fit


def test_custom_properties_that_nothing_asks_for_go() -> None:
    used = fit_for_shadow(
        ":root { --corral-a: 1px; --corral-b: 2px; }", "a { top: var(--corral-b) }"
    )
    assert "--corral-a" not in used and "--corral-b: 2px;" in used
