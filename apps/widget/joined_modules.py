"""Joins ES modules into one, so that a browser fetches one file instead of thirty.

All modules share one scope, so that the minifier may shorten every name and drop every export.
Nothing is renamed here: two modules that declare the same name at their top are refused. Only the
forms the project uses are understood: ``import { a, b } from "./x.js"`` and ``export`` in front of
a declaration. Anything else raises `NotJoinable`.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable

_IMPORT = re.compile(r'^import\s*\{([\w\s,]*)\}\s*from\s*"(\.[^"]+)";\n?', re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:async )?(?:class|function|const)\*? )(\w+)", re.MULTILINE)
_TOP = re.compile(r"^(?:async )?(?:class|function|const|let)\*? (\w+)", re.MULTILINE)
_LEFT_OVER = re.compile(r"^(?:import|export)\b.*$", re.MULTILINE)
# What only the chat's own page needs of a module that the widget shares with it.
_PAGE_ONLY = re.compile(r"^ *// <page>\n.*?^ *// </page>\n", re.MULTILINE | re.DOTALL)
_RENAMED = re.compile(r"\w+\s+as\s+\w+")


class NotJoinable(ValueError):
    """A module is written in a form the joiner does not know, or does not get on with another."""


def join_modules(root: str, read: Callable[[str], str], arrange: Callable[[str], str] = str) -> str:
    """One module with the exports of ``root``; ``read`` gives the source of a path.

    ``arrange`` may put in another order what all modules together declare.
    """
    order = _in_order(root, read, (), {})
    exports = _exports(order[root])
    parts = [_without_frame(path, source) for path, source in order.items()]
    _check_names(dict(zip(order, parts, strict=True)))
    inner = arrange("\n".join(parts))
    names = ", ".join(exports)
    # Names at the top of a module stay as they are; inside a function they become short.
    return f"export const {{ {names} }} = (() => {{\n{inner}\nreturn {{ {names} }};\n}})();\n"


def _in_order(
    path: str, read: Callable[[str], str], above: tuple[str, ...], done: dict[str, str]
) -> dict[str, str]:
    """Sources by path, what is imported before what imports it."""
    if path in above:
        raise NotJoinable(f"{path} imports itself: {' -> '.join((*above, path))}")
    if path not in done:
        source = read(path)
        for match in _IMPORT.finditer(source):
            if renamed := _RENAMED.search(match[1]):
                raise NotJoinable(f"{path}: {renamed[0]}")
            _in_order(_resolve(path, match[2]), read, (*above, path), done)
        done[path] = source
    return done


def _resolve(importer: str, address: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(importer), address))


def _exports(source: str) -> list[str]:
    return [match[2] for match in _EXPORT.finditer(source)]


def _without_frame(path: str, source: str) -> str:
    body = _EXPORT.sub(r"\1\2", _IMPORT.sub("", _PAGE_ONLY.sub("", source)))
    if left_over := _LEFT_OVER.search(body):
        raise NotJoinable(f"{path}: {left_over[0]}")
    return body


def _check_names(bodies: dict[str, str]) -> None:
    owners: dict[str, str] = {}
    for path, body in bodies.items():
        for name in _TOP.findall(body):
            if name in owners:
                raise NotJoinable(f"{owners[name]} and {path} both declare {name}")
            owners[name] = path
