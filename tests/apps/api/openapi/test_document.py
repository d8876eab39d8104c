"""The description of the API: made from the views, valid, and the one the server shows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import CommandError, call_command

from apps.api.openapi import document as documents
from apps.api.openapi.described import Tag
from apps.api.openapi.document import PATH, Form, described_now, document


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(PATH.read_text(encoding="utf-8"))
    return found


def operations(described: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for methods in described["paths"].values() for one in methods.values()]


def test_it_is_valid_and_nothing_is_guessed(tmp_path: Path) -> None:
    file = tmp_path / "schema.yaml"
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(file))
    assert file.stat().st_size > 10_000


def test_the_file_is_what_the_views_say() -> None:
    text = "Views have changed: run `manage.py openapi --write`."
    assert PATH.read_text(encoding="utf-8") == described_now(), text


def test_an_old_file_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from apps.api.management.commands import openapi

    file = tmp_path / "description.json"
    monkeypatch.setattr(openapi, "PATH", file)
    monkeypatch.setattr(openapi, "described_now", lambda: "{}\n")
    with pytest.raises(CommandError, match="--write"):
        call_command("openapi", check=True)
    call_command("openapi", write=True)
    call_command("openapi", check=True)
    assert file.read_text() == "{}\n"


def test_operations_have_names_summaries_and_chapters(described: dict[str, Any]) -> None:
    all_of_them = operations(described)
    ids = [one["operationId"] for one in all_of_them]
    assert len(set(ids)) == len(ids) > 60
    assert {tag for one in all_of_them for tag in one["tags"]} <= {str(tag) for tag in Tag}
    assert all(one["summary"] and "default" in one["responses"] for one in all_of_them)


def test_the_line_of_our_own_pages_is_not_promised(described: dict[str, Any]) -> None:
    paths = described["paths"]
    assert "/api/v1/pool/" in paths and "/v1/chat/completions" in paths
    assert not [path for path in paths if "/gen/" in path or "frames" in path]


def test_the_two_forms_say_the_same(described: dict[str, Any]) -> None:
    assert json.loads(document(Form.JSON).body) == described
    assert yaml.safe_load(document(Form.YAML).body) == described


def test_a_project_that_has_the_addresses_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    places = {"api:docs": "/chat/api/docs/", "openai:models": "/chat/v1/models"}
    monkeypatch.setattr(documents, "reverse", places.__getitem__)
    moved = documents.document.__wrapped__(Form.JSON)
    paths = json.loads(moved.body)["paths"]
    assert "/chat/api/pool/" in paths and "/chat/v1/completions" in paths
    assert not [path for path in paths if not path.startswith("/chat/")]
