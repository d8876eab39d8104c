"""The description as text. It is made when views change and kept in a file: making it takes seconds
and a dozen megabytes, which nobody should be able to ask a running site for."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.urls import reverse
from django.utils import translation

PATH = Path(__file__).with_name("description.json")
REST, OPENAI = "/api/v1/", "/v1/"
"""Where the addresses are in the file; a project may have them elsewhere."""


class Form(StrEnum):
    """How the description is written."""

    JSON = "json"
    YAML = "yaml"

    @property
    def content_type(self) -> str:
        """Its name in HTTP."""
        return {
            Form.JSON: "application/vnd.oai.openapi+json; charset=utf-8",
            Form.YAML: "application/vnd.oai.openapi; charset=utf-8",
        }[self]


@dataclass(frozen=True, slots=True)
class Document:
    """One text and the name of its state."""

    body: bytes
    etag: str


@lru_cache(maxsize=len(Form))
def document(form: Form) -> Document:
    """Return the description as it is served. Thread-safe; reads the file once."""
    found = json.loads(PATH.read_text(encoding="utf-8"))
    found["paths"] = {_moved(path): value for path, value in found["paths"].items()}
    body = json.dumps(found, separators=(",", ":")) if form is Form.JSON else _as_yaml(found)
    data = body.encode()
    return Document(body=data, etag=f'"{hashlib.sha256(data).hexdigest()[:20]}"')


def described_now() -> str:
    """Make the description from the views, as text for the file. Heavy."""
    from drf_spectacular.generators import SchemaGenerator
    from drf_spectacular.renderers import OpenApiJsonRenderer

    with translation.override("en"):
        found = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
        # Its own renderer knows the values that json does not, such as lazy texts.
        plain = json.loads(OpenApiJsonRenderer().render(found, renderer_context={}))
    return json.dumps(plain, indent=1) + "\n"


def _moved(path: str) -> str:
    """Where an address of the file is on this server."""
    for usual, name, last in ((REST, "api:docs", "docs/"), (OPENAI, "openai:models", "models")):
        if path.startswith(usual):
            return reverse(name).removesuffix(last) + path.removeprefix(usual)
    return path


def _as_yaml(value: dict[str, Any]) -> str:
    import yaml

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    text: str = yaml.dump(value, Dumper=dumper, sort_keys=False, allow_unicode=True)
    return text
