"""A site's logo: small, and only what its first bytes prove to be a picture we name."""

from __future__ import annotations

import hashlib

from apps.widget.errors import BadLogo

MAX_BYTES = 32 * 1024


def content_type_of(data: bytes) -> str | None:
    """The fixed content type of a picture, or None for anything else."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return None


def check_logo(data: bytes) -> None:
    """Raises BadLogo with a sentence for a file that can not be a logo."""
    if len(data) > MAX_BYTES:
        raise BadLogo(f"This file is too big; a logo has at most {MAX_BYTES // 1024} KB.")
    if content_type_of(data) is None:
        raise BadLogo("A logo must be a PNG, JPEG or WebP picture.")


def version_of(data: bytes) -> str:
    """A short name of these bytes, for caches; "" for no logo."""
    return hashlib.sha256(data).hexdigest()[:12] if data else ""
