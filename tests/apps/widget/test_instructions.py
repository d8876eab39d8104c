"""Instructions: counted, versioned, restorable."""

from __future__ import annotations

import pytest
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from apps.ai_pool import services as pool
from apps.widget import services
from apps.widget.errors import InstructionsTooLong
from apps.widget.instructions import MAX_CHARS, MAX_VERSIONS
from apps.widget.models import Instructions, Site
from apps.widget.token_count import TokenCount, count_tokens, upper_bound

pytestmark = pytest.mark.django_db


@pytest.fixture
def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pool that counts words."""
    monkeypatch.setattr(pool, "count_tokens", lambda text: len(text.split()), raising=False)


def test_the_newest_version_counts(site: Site, exact: None) -> None:
    assert services.instructions_of(site) == ""
    services.set_instructions(site, "Be brief.")
    services.set_instructions(site, " Be kind.\r\nAlways. ")
    assert services.instructions_of(site) == "Be kind.\nAlways."
    assert site.instructions.count() == 2
    assert services.current_instructions(site).num_tokens == 3


def test_the_same_again_is_no_version(site: Site, exact: None) -> None:
    assert services.set_instructions(site, "") is None
    first = services.set_instructions(site, "Be brief.")
    assert services.set_instructions(site, "Be brief. ") == first
    services.set_instructions(site, "")
    assert services.instructions_of(site) == "" and site.instructions.count() == 2


def test_restore(site: Site, exact: None) -> None:
    first = services.set_instructions(site, "Be brief.")
    services.set_instructions(site, "Be long.")
    services.restore_instructions(site, first.pk)
    assert services.instructions_of(site) == "Be brief." and site.instructions.count() == 3
    other = Site.objects.create(name="Other")
    with pytest.raises(Instructions.DoesNotExist):
        services.restore_instructions(other, first.pk)


def test_the_limit_in_tokens(site: Site, exact: None) -> None:
    services.set_instructions(site, "word " * 200)
    with pytest.raises(InstructionsTooLong, match="201 tokens, 1 more"):
        services.set_instructions(site, "word " * 201)
    with pytest.raises(InstructionsTooLong, match="characters"):
        services.set_instructions(site, "x" * (MAX_CHARS + 1))
    assert site.instructions.count() == 1


def test_without_a_pool_the_estimate_never_lets_too_much_through(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "count_tokens", lambda text: None, raising=False)
    services.set_instructions(site, "x" * 199)
    with pytest.raises(InstructionsTooLong, match="can not be asked"):
        services.set_instructions(site, "x" * 200)
    assert count_tokens("") == TokenCount(0, True)
    assert count_tokens("ab") == TokenCount(3, False)


@given(st.text(max_size=200))
def test_the_estimate_never_undercounts(text: str) -> None:
    """Against the worst tokenizer there can be: one token for each byte, one for the start."""
    text = text.encode(errors="ignore").decode()
    assert upper_bound(text) >= len(text.encode()) + 1


def test_old_versions_go(site: Site, exact: None) -> None:
    for number in range(MAX_VERSIONS + 5):
        services.set_instructions(site, f"Version {number}.")
    assert site.instructions.count() == MAX_VERSIONS
    assert services.instructions_of(site) == f"Version {MAX_VERSIONS + 4}."


@override_settings(CORRAL_SYSTEM_PROMPT="Be an assistant.")
def test_the_whole_prompt() -> None:
    assert services.whole_prompt("") == "Be an assistant."
    assert services.whole_prompt("We sell shoes.") == "Be an assistant.\n\nWe sell shoes."
