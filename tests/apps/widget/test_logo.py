"""Logos: only pictures we name, by their first bytes."""

from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.widget.errors import BadLogo
from apps.widget.logo import MAX_BYTES, check_logo, content_type_of, version_of


def _chunk(kind: bytes, data: bytes) -> bytes:
    crc = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + crc


PNG = (
    b"\x89PNG\r\n\x1a\n"
    + _chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0))
    + _chunk(b"IDAT", zlib.compress(b"".join(b"\0" + b"\x0f\x76\x6e" * 8 for _ in range(8))))
    + _chunk(b"IEND", b"")
)
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00"
WEBP = b"RIFF\x10\x00\x00\x00WEBPVP8 "


@pytest.mark.parametrize(
    ("data", "kind"), [(PNG, "image/png"), (JPEG, "image/jpeg"), (WEBP, "image/webp")]
)
def test_pictures(data: bytes, kind: str) -> None:
    assert content_type_of(data) == kind
    check_logo(data)


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"GIF89a", b"<html>", b"%PDF-1.4"),
        *(b"RIFF\x10\x00\x00\x00AVI LIST", b"\x89PNG", b" " + PNG, b"BM" + PNG),
    ],
)
def test_anything_else_is_refused(data: bytes) -> None:
    assert content_type_of(data) is None
    with pytest.raises(BadLogo, match="PNG, JPEG or WebP"):
        check_logo(data)


def test_size() -> None:
    check_logo(PNG.ljust(MAX_BYTES, b"\0"))
    with pytest.raises(BadLogo, match="32 KB"):
        check_logo(PNG.ljust(MAX_BYTES + 1, b"\0"))


@given(st.binary(max_size=40))
def test_any_bytes_have_one_of_three_types_or_none(data: bytes) -> None:
    assert content_type_of(data) in (None, "image/png", "image/jpeg", "image/webp")


def test_version() -> None:
    assert version_of(b"") == "" and version_of(PNG) != version_of(JPEG)
