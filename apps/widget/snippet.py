"""What an owner pastes into their pages: the tag, the pinned tag and the lines for their CSP."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from urllib.parse import urlsplit

from apps.widget import script


@dataclass(frozen=True, slots=True)
class Snippet:
    """Everything to paste for one site; ``base`` is our own origin."""

    base: str
    site_key: str

    @property
    def tag(self) -> str:
        """The tag that follows our version."""
        return self._tag(script.loader_url(self.base))

    @property
    def pinned_tag(self) -> str:
        """The tag for exactly this version; the browser refuses a file that was changed."""
        url, integrity = script.pinned_loader(self.base)
        return self._tag(url, f' integrity="{escape(integrity)}" crossorigin="anonymous"')

    @property
    def script_src(self) -> str:
        """Directive for a page's Content-Security-Policy: where scripts come from."""
        return f"script-src {self.base};"

    @property
    def connect_src(self) -> str:
        """Directive for a page's Content-Security-Policy: what scripts may talk to."""
        parts = urlsplit(self.base)
        socket = "wss" if parts.scheme == "https" else "ws"
        return f"connect-src {self.base} {socket}://{parts.netloc};"

    def _tag(self, url: str, more: str = "") -> str:
        site = escape(self.site_key)
        return f'<script src="{escape(url)}" data-site="{site}"{more} defer></script>'
