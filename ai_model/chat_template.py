"""Recognises the one chat template Corral renders (Zephyr, as TinyLlama chat uses it).

The template in a model file is compared, never run: it is split into its tags, reduced to what it
would write for each role, and must come out as exactly the Zephyr layout.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum

ZEPHYR_TEMPLATE = (
    "{% for message in messages %}\n"
    "{% if message['role'] == 'user' %}\n"
    "{{ '<|user|>\\n' + message['content'] + eos_token }}\n"
    "{% elif message['role'] == 'system' %}\n"
    "{{ '<|system|>\\n' + message['content'] + eos_token }}\n"
    "{% elif message['role'] == 'assistant' %}\n"
    "{{ '<|assistant|>\\n'  + message['content'] + eos_token }}\n"
    "{% endif %}\n"
    "{% if loop.last and add_generation_prompt %}\n"
    "{{ '<|assistant|>' }}\n"
    "{% endif %}\n"
    "{% endfor %}"
)
"""TinyLlama chat's own template, for the model files this project writes itself."""

MAX_TEMPLATE_CHARS = 16384
_ROLES = ("system", "user", "assistant")
_TAG = re.compile(r"\{%(-?)(.*?)(-?)%\}|\{\{(-?)(.*?)(-?)\}\}|\{#.*?#\}", re.DOTALL)
_LITERAL = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", re.DOTALL)
_PART = re.compile(r"\s*(?:('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")|([\w.\[\]'\"]+))\s*", re.DOTALL)
_ROLE_TEST = re.compile(r"(?:if|elif) message\['role'\] ?== ?'(\w+)'")
_CONTENT, _END = "\x00content", "\x00end-of-turn"


class TemplateKind(StrEnum):
    """The chat templates Corral can render."""

    ZEPHYR = "zephyr"


class _Unknown(Exception):
    """The template has something in it that Zephyr has not."""


@dataclass(slots=True)
class _Outline:
    """What a template writes: per role and at the end, literals merged."""

    turns: dict[str, list[str]] = field(default_factory=dict)
    opening: list[str] = field(default_factory=list)


def recognise_template(template: str) -> TemplateKind | None:
    """Say which known template this is, or None when it is not one of them. Pure; thread-safe."""
    if len(template) > MAX_TEMPLATE_CHARS or "\x00" in template:
        return None
    try:
        outline = _outline(_pieces(template))
    except _Unknown:
        return None
    zephyr = {role: [f"<|{role}|>\n", _CONTENT, _END, "\n"] for role in _ROLES}
    if outline.turns == zephyr and outline.opening == ["<|assistant|>\n"]:
        return TemplateKind.ZEPHYR
    return None


def _pieces(template: str) -> list[tuple[str, str]]:
    """Split into ("text" | "block" | "write", body), white space trimmed as chat templates are.

    That is with Jinja's trim_blocks and lstrip_blocks, as every loader of chat templates sets them.
    """
    pieces: list[tuple[str, str]] = []
    position = 0
    strip_next = drop_newline = False
    for tag in _TAG.finditer(template):
        text = template[position : tag.start()]
        position = tag.end()
        is_block = tag.group(2) is not None
        starts_line = not pieces
        if strip_next:
            text = text.lstrip()
        elif drop_newline and text.startswith("\n"):
            text, starts_line = text[1:], True
        if tag.group(1) or tag.group(4):
            text = text.rstrip()
        elif is_block:
            # Blanks before a block go only where nothing else stands before them in the line.
            text = re.sub(r"(\A|\n)[ \t]+\Z" if starts_line else r"(\n)[ \t]+\Z", r"\1", text)
        pieces.append(("text", text))
        if is_block:
            pieces.append(("block", _normal_block(tag.group(2))))
        elif tag.group(5) is not None:
            pieces.append(("write", tag.group(5)))
        strip_next = bool(tag.group(3) or tag.group(6))
        drop_newline = is_block or tag.group(5) is None
    text = template[position:]
    pieces.append(("text", text.strip() if strip_next or drop_newline else text))
    return [piece for piece in pieces if piece != ("text", "")]


def _normal_block(body: str) -> str:
    body = _LITERAL.sub(lambda match: "'" + match.group()[1:-1] + "'", body)
    return _dotted(" ".join(body.split()))


def _dotted(expression: str) -> str:
    return re.sub(r"\bmessage\.(role|content)\b", r"message['\1']", expression)


def _outline(pieces: list[tuple[str, str]]) -> _Outline:
    outline = _Outline()
    target: list[str] | None = None
    is_in_loop = has_looped = False
    open_ifs = 0
    for kind, body in pieces:
        if kind == "text":
            _write(target, [body])
        elif kind == "write":
            _write(target, _parts(body))
        elif body == "for message in messages" and not has_looped and not open_ifs:
            is_in_loop = has_looped = True
        elif body == "endfor" and is_in_loop and not open_ifs:
            is_in_loop = False
        elif body == "endif" and open_ifs:
            open_ifs, target = 0, None
        elif (test := _ROLE_TEST.fullmatch(body)) and is_in_loop:
            if (body.startswith("if ") and open_ifs) or (body.startswith("el") and open_ifs != 1):
                raise _Unknown
            if test.group(1) in outline.turns:
                raise _Unknown
            open_ifs = 1
            target = outline.turns.setdefault(test.group(1), [])
        elif (
            not open_ifs
            and not outline.opening
            and has_looped
            and body == ("if loop.last and add_generation_prompt" if is_in_loop
                         else "if add_generation_prompt")
        ):  # fmt: skip
            # 2: an "elif role" cannot follow here.
            open_ifs, target = 2, outline.opening
        else:
            raise _Unknown
    if is_in_loop or open_ifs:
        raise _Unknown
    return outline


def _write(target: list[str] | None, parts: list[str]) -> None:
    if target is None:
        raise _Unknown
    for part in parts:
        if target and not part.startswith("\x00") and not target[-1].startswith("\x00"):
            target[-1] += part
        else:
            target.append(part)


def _parts(expression: str) -> list[str]:
    """Split ``'a' + message['content'] + eos_token`` into literals and the two known names."""
    parts: list[str] = []
    position = 0
    while True:
        match = _PART.match(expression, position)
        if match is None:
            raise _Unknown
        literal, name = match.groups()
        if literal is not None:
            text = literal[1:-1].replace("\\n", "\n")
            if "\\" in text:
                raise _Unknown
            parts.append(text)
        else:
            known = {"message['content']": _CONTENT, "eos_token": _END}
            normal = _dotted(re.sub(r'"(\w*)"', r"'\1'", name))
            if normal not in known:
                raise _Unknown
            parts.append(known[normal])
        position = match.end()
        if position == len(expression):
            return parts
        if expression[position] != "+":
            raise _Unknown
        position += 1
