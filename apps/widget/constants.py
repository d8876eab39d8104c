"""Puts the values of constants where they are used: the minifier keeps a name for each of them.

What else is ``const`` becomes ``let``, so that there is one word for both.
"""

from __future__ import annotations

import re

from apps.widget.javascript import Kind, tokens

_VALUE = r'(?:[\d_.]+|"[^"\n]*")'
_CONSTANT = re.compile(rf"^const ([A-Z][A-Z\d_]*) = ({_VALUE});.*\n", re.MULTILINE)
_ENUM = re.compile(r"^const ([A-Z]\w*) = Object\.freeze\(\{(.*?)\}\);\n", re.MULTILINE | re.DOTALL)
_MEMBER = re.compile(rf"([A-Z][A-Z\d_]*): ({_VALUE})")


def put_constants(script: str) -> str:
    """The script with numbers and texts in place of ``NAME`` and ``Enum.NAME``."""
    values = dict(_CONSTANT.findall(script))
    for enum, members in _ENUM.findall(script):
        values |= {f"{enum}.{name}": value for name, value in _MEMBER.findall(members)}
    script = _ENUM.sub("", _CONSTANT.sub("", script))
    found = list(tokens(script))
    written = []
    at = 0
    while at < len(found):
        token = found[at]
        name = token.text
        width = 1
        if name not in values and at + 2 < len(found):
            name, width = "".join(part.text for part in found[at : at + 3]), 3
        is_property = at > 0 and found[at - 1].text == "."
        if token.kind is Kind.NAME and name in values and not is_property:
            written.append(values[name])
            at += width
        else:
            is_const = token.kind is Kind.NAME and token.text == "const" and not is_property
            written.append("let" if is_const else token.text)
            at += 1
    return "".join(written)
