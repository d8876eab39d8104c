"""Shortens names that only the panel's own parts know: properties, classes and custom properties.

The minifier shortens what it can see is local. A property is known to nobody but us only if it is
neither the browser's nor the server's, and no text spells it; such names are listed here. Classes
are shortened when both the script and the style spell them in full.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from itertools import product
from string import ascii_letters

from apps.widget.javascript import Kind, Token, tokens

# Properties and methods of our own. The tests compare them with what a browser has and with what
# the server's frames are made of.
_PROPERTIES = """
alertRegion anchorLast announcer answerAgain api becomeUser box canContinue canLeave canProceed
canRetry chips continuing delivery details dots erase eraseChats exportChats extras facts
findAnswer findByCid findTurn forQuestion fromEntry fromJson fromMessage frozenLength giveBack
grown handOver hasAgreed hasAsked helloFrame iconName identity isAgreed isAlert isBlocked
isEmbedded isEmpty isFinished isFull isKnown isLive isOnline isOver isRecent isStalled
isStopping isWanted keeper lastSeq lastTurn leave linkChanged liveTurn marks maxChars
mayContinue meter more narrator note num numForgotten onAgreed onAsk onChanged onDropped onErase
onFrame onGone onKey onLink onNamed onOpened onOpenPage onProceed onRate onRead onRetry onSend
onStop onView outbox parts privacy proceed questionTools readConversation readPool
readsPage receive render replaced restart retry sentences setLink setLive setMaxChars setMode
setPool shownBlocks shownTail shownText showsCaret showsDots sidebar sincePhaseMs sinceStartMs
sinceTextMs statusLine statusRegion tail thumbs tick toEnd tools toStart trimmedTurns turnOf
userJwt views
"""
PROPERTIES = frozenset(_PROPERTIES.split())
# What a host page may set from outside, and what the launcher does.
_PUBLIC_TOKEN = re.compile(r"(?:accent|bg|fg|bubble-user|radius|font|inset-[xy]|z)\Z")
_TOKEN = re.compile(r"--corral-([a-z-]+)")
_CLASS = re.compile(r"\b[a-z]+(?:-[a-z]+)?__[a-z]+(?:--[a-z]+)?\b")


class NotShortenable(ValueError):
    """A name that is to be shortened is also spelled in a text."""


def shorten(script: str, style: str) -> tuple[str, str]:
    """Script and style with short names."""
    found = list(tokens(script))
    spelled = {token.text.strip("\"'") for token in found if token.kind is Kind.TEXT}
    if clash := PROPERTIES & spelled:
        raise NotShortenable(", ".join(sorted(clash)))
    taken = {token.text for token in found if token.kind is Kind.NAME}
    names = _short((token.text for token in found if token.text in PROPERTIES), taken)
    texts = [token.text for token in found if token.kind is Kind.TEXT]
    in_script = Counter(name for text in texts for name in _CLASS.findall(text))
    in_style = Counter(_CLASS.findall(style))
    both = in_script.keys() & in_style.keys()
    spelled_in_style = set(re.findall(r"[.#]([\w-]+)", style))
    classes = _short(
        (name for name in (in_script + in_style).elements() if name in both), spelled_in_style
    )
    ours = (name for name in _TOKEN.findall(style) if not _PUBLIC_TOKEN.match(name))
    custom = {name: f"--{short}" for name, short in _short(ours, set()).items()}

    def put(text: str) -> str:
        text = _CLASS.sub(lambda name: classes.get(name[0], name[0]), text)
        return _TOKEN.sub(lambda name: custom.get(name[1], name[0]), text)

    def renamed(token: Token) -> str:
        if token.kind is Kind.NAME:
            return names.get(token.text, token.text)
        return put(token.text) if token.kind is Kind.TEXT else token.text

    return "".join(map(renamed, found)), put(style)


def _short(names: Iterable[str], taken: Collection[str]) -> dict[str, str]:
    """Short names by long ones, the shortest for the most frequent; none that is taken."""
    counted = Counter(names)
    ordered = sorted(counted, key=lambda name: (-counted[name], name))
    free = (short for short in _candidates() if short not in taken)
    return dict(zip(ordered, free, strict=False))


def _candidates() -> Iterator[str]:
    for length in (1, 2):
        for letters in product(ascii_letters, repeat=length):
            yield "".join(letters)
