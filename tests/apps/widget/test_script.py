"""The tag's script: it knows where it comes from, and may be pinned."""

from __future__ import annotations

import base64
import hashlib

from apps.widget.release_making import current_release
from apps.widget.script import loader, loader_url, pinned_loader


def test_the_pinned_tag_covers_what_is_served() -> None:
    address, integrity = pinned_loader("https://chat.example.org")
    version = current_release().version
    assert address == f"https://chat.example.org/w/{version}/w.js"
    digest = hashlib.sha384(current_release().files["w.js"]).digest()
    assert integrity == "sha384-" + base64.b64encode(digest).decode()


def test_the_loader_knows_its_server_and_site_and_nothing_else() -> None:
    assert loader_url("https://chat.example.org") == "https://chat.example.org/w/v1.js"
    _, text = loader(base="https://chat.example.org", site="site_0123456789abcdef")
    assert b'"https://chat.example.org"' in text and b'"site_0123456789abcdef"' in text
    _, text = loader(base='https://"</script>', site='"</script>')
    assert b"</script>" not in text and text.count(b'""') == 1
