"""Role markers inside message bodies: found in every disguise and turned into harmless text.

A Zephyr prompt marks its turns with ``<|system|>``, ``<|user|>`` and ``<|assistant|>``, which are
ordinary text to the tokenizer. A visitor who types one could forge a turn, and so could the model
itself.
"""

from __future__ import annotations

import re
import unicodedata

MARKERS = ("<|system|>", "<|user|>", "<|assistant|>")
"""The markers as the template writes them; generation stops when the model writes one."""

_LOOKALIKES = str.maketrans(
    {
        **dict.fromkeys("│┃¦ǀ∣❘❙❚⎮⏐ⵏ", "|"),
        **dict.fromkeys("‹〈⟨❮❰≺", "<"),
        **dict.fromkeys("›〉⟩❯❱≻", ">"),
    }
)
_FORGED_ROLE = re.compile(r"<\|+(system|user|assistant)(?:\|*>|\|+)?")
_FORGED_CONTROL = re.compile(r"</?(s|unk|pad)>")


def neutralise(text: str) -> str:
    """Return ``text`` with every role marker and control-token spelling written as plain words.

    ``<|system|>`` becomes ``[system]`` and ``</s>`` becomes ``[/s]``, whatever case, spacing, zero-
    width or full-width characters disguise them. All other text is returned unchanged, character by
    character, so that ordinary messages tokenise exactly as the template stored in the model file
    would. Pure.
    """
    if "<" not in text and not _may_hide_bracket(text):
        return text
    view, origins = _normalised_view(text)
    replacements = [
        (origins[match.start()], origins[match.end() - 1] + 1, f"[{match.group(1)}]")
        for match in _FORGED_ROLE.finditer(view)
    ] + [
        (origins[match.start()], origins[match.end() - 1] + 1, f"[{match.group(0)[1:-1]}]")
        for match in _FORGED_CONTROL.finditer(view)
    ]
    for start, end, plain in sorted(replacements, reverse=True):
        text = text[:start] + plain + text[end:]
    return text


def count_markers(text: str) -> int:
    """Count what a model could read as a role marker in ``text``, disguises included."""
    view, _ = _normalised_view(text)
    return len(_FORGED_ROLE.findall(view))


def _may_hide_bracket(text: str) -> bool:
    return not text.isascii()


def _normalised_view(text: str) -> tuple[str, list[int]]:
    """Return the text as a careless reader sees it, and for each of its characters the index it
    came from."""
    view: list[str] = []
    origins: list[int] = []
    for index, original in enumerate(text):
        folded = unicodedata.normalize("NFKC", original).translate(_LOOKALIKES).casefold()
        for character in folded:
            if character.isspace() or unicodedata.category(character) in ("Cf", "Mn", "Me", "Cc"):
                continue
            view.append(character)
            origins.append(index)
    return "".join(view), origins
