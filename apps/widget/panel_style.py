"""Makes a page's style fit for a shadow root on a page of others."""

from __future__ import annotations

import re

# What only the chat's own page needs of a style that the widget shares with it.
_PAGE_ONLY = re.compile(r"/\* <page> \*/.*?/\* </page> \*/", re.DOTALL)
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_REM = re.compile(r"(?<![\w.])(\d*\.?\d+)rem\b")
_DECLARED = re.compile(r"\s*(--corral-[a-z-]+):[^;{}]*;")
# Nothing is written from top to bottom here, so these mean the same and are shorter.
_PHYSICAL = (
    (re.compile(r"\b((?:max-|min-)?)inline-size\b(?=\s*:)"), r"\1width"),
    (re.compile(r"\b((?:max-|min-)?)block-size\b(?=\s*:)"), r"\1height"),
    (re.compile(r"\binset-block-start\b"), "top"),
    (re.compile(r"\binset-block-end\b"), "bottom"),
    (re.compile(r"\b(margin|padding|border)-block-start\b"), r"\1-top"),
    (re.compile(r"\b(margin|padding|border)-block-end\b"), r"\1-bottom"),
)


def fit_for_shadow(*styles: str) -> str:
    """The styles as one for a shadow root.

    There is no ``:root`` inside, and the host page's root font size is not ours: ``rem`` becomes
    pixels. Custom properties that nothing asks for go.
    """
    css = _COMMENT.sub("", _PAGE_ONLY.sub("", "\n".join(styles))).replace(":root", ":host")
    # The minifier leaves the values of custom properties alone.
    css = re.sub(r",\s+", ",", css)
    css = _REM.sub(lambda rem: f"{_pixels(float(rem[1]) * 16):g}px", css)
    for logical, physical in _PHYSICAL:
        css = logical.sub(physical, css)
    return _DECLARED.sub(lambda found: found[0] if f"var({found[1]}" in css else "", css)


def _pixels(measure: float) -> float:
    """Whole pixels, but for hair lines."""
    return measure if measure < 3 else round(measure)
