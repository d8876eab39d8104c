"""The examples of docs/embed.md, so that tests try what owners copy."""

from __future__ import annotations

import re

from tests.project_files import ROOT

PAGE = ROOT / "docs/embed.md"
CHAT, SITE = "https://chat.example.org", "site_0123456789abcdef"


def example(heading: str, language: str, place: int = 0) -> str:
    """One block of code: the ``place``-th of its language below a heading."""
    sections = re.split(r"^#{1,3} (.+)$", PAGE.read_text("utf-8"), flags=re.MULTILINE)
    text = dict(zip(sections[1::2], sections[2::2], strict=True))[heading]
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    return str(blocks[place])


def fill(text: str, *, chat: str, site: str) -> str:
    """An example for a real chat server and a real site."""
    text = text.replace(CHAT.replace("https", "wss"), chat.replace("http", "ws", 1))
    return text.replace(CHAT, chat).replace(SITE, site)
