"""The catalog: its entries are complete and found under every name people use."""

from __future__ import annotations

import re

import pytest

from ai_model.catalog import (
    CATALOG,
    DEFAULT_QUANT,
    PREFERENCE,
    UnknownModel,
    find_entry,
    normal_quant,
)


def test_every_entry_is_pinned_by_revision_and_checksum() -> None:
    for entry in CATALOG:
        assert re.fullmatch(r"[0-9a-f]{40}", entry.revision or "")
        assert re.fullmatch(r"[0-9a-f]{64}", entry.sha256 or "")
        assert entry.size_bytes > 600_000_000
        assert entry.license == "Apache-2.0"
        assert entry.quant in entry.filename
        assert entry.url.startswith("https://huggingface.co/")
        assert str(entry.revision) in entry.url


def test_the_preference_covers_the_catalog_and_starts_with_the_default() -> None:
    assert sorted(PREFERENCE) == sorted(entry.quant for entry in CATALOG)
    assert PREFERENCE[0] == DEFAULT_QUANT


def test_checksums_and_names_are_unique() -> None:
    assert len({entry.sha256 for entry in CATALOG}) == len(CATALOG)
    assert len({entry.name for entry in CATALOG}) == len(CATALOG)


@pytest.mark.parametrize(
    "name",
    ["Q5_K_M", "q5_k_m", " tinyllama-q5_k_m ", "tinyllama-1.1b-chat-v1.0.Q5_K_M.gguf"],
)
def test_an_entry_is_found_by_quantisation_name_and_file(name: str) -> None:
    assert find_entry(name).quant == "Q5_K_M"


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UnknownModel, match="tinyllama-q8_0"):
        find_entry("gpt-5")


def test_quantisations_are_spelled_our_way() -> None:
    assert normal_quant("q8-0") == "Q8_0"
    assert normal_quant("  ") == ""
    with pytest.raises(UnknownModel, match="Q4_K_M"):
        normal_quant("Q9")
