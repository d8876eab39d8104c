"""Makes requests out of the description of the API and judges what comes back."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import load_all_checks
from schemathesis.core.parameters import ParameterLocation
from schemathesis.specs.openapi import checks

from apps.ai_chat.errors import PROBLEMS
from apps.api.openapi.described import Tag
from apps.api.openapi.document import PATH

TIMEOUT_S = 20.0
REFUSALS = {problem.http_status for problem in PROBLEMS.values() if problem.http_status > 500}
CHECKS = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
LEFT_OUT = {
    # They replace the pool process, or take seconds each: they have tests of their own.
    ("POST", "/api/v1/pool/actions/restart/"),
    ("POST", "/api/v1/pool/actions/selftest/"),
    ("POST", "/api/v1/pool/actions/model/"),
}


@dataclass
class Caller:
    """Somebody who asks, and what they may find."""

    url: str
    headers: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)
    known: dict[str, Any] = field(default_factory=dict)
    """Values of path parameters that exist for this caller."""
    is_program: bool = False

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        """Send one request of a test's own."""
        return requests.request(
            method,
            self.url + path,
            json=body,
            headers=self.headers | headers,
            cookies=self.cookies,
            timeout=TIMEOUT_S,
        )


@cache
def description() -> Any:
    """The description that the server ships, but for who may: the caller says that each time."""
    load_all_checks()
    found = json.loads(PATH.read_text(encoding="utf-8"))
    for methods in found["paths"].values():
        for operation in methods.values():
            operation.pop("security", None)
    return schemathesis.openapi.from_dict(found)


def operations(tag: Tag) -> list[Any]:
    """What a chapter describes; what takes something away comes last."""
    found = [result.ok() for result in description().get_all_operations()]
    chosen = [
        one
        for one in found
        if str(tag) in one.tags and (one.method.upper(), one.path) not in LEFT_OUT
    ]
    return sorted(chosen, key=lambda one: (one.method.upper() == "DELETE", one.label))


def fuzz(operation: Any, caller: Caller, num_examples: int, judge: Callable[..., None]) -> None:
    """Send requests that fit the description and requests that do not; ``judge(case, response)``
    fails for what should not come back. The same requests every time."""
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        strategy = operation.as_strategy(generation_mode=mode)

        @settings(
            max_examples=num_examples,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=strategy, is_known=st.booleans())
        def ask(case: Case, is_known: bool) -> None:
            if is_known:
                for name in set(case.path_parameters) & set(caller.known):
                    case.path_parameters[name] = caller.known[name]
            response = case.call(
                base_url=caller.url,
                headers=caller.headers,
                cookies=caller.cookies,
                timeout=TIMEOUT_S,
            )
            judge(case, response)

        random.seed(0)
        try:
            ask()
        except Unsatisfiable:
            # Nothing it takes could be wrong.
            assert mode is GenerationMode.NEGATIVE


def judge_plainly(case: Case, response: Any) -> None:
    """What must hold whoever asks: no defect, and nothing but what is described."""
    status = response.status_code
    text = f"{case.method} {case.path}: {status} {response.content[:300]!r}"
    assert status < 500 or status in REFUSALS, text
    if status >= 400:
        assert response.content.startswith(b"{"), f"{response.request.url}: {text}"
        error = json.loads(response.content)["error"]
        assert error["code"] and error["message"], text
    if status in (429, 503):
        assert "retry-after" in response.headers, text
    if status != 405:
        case.validate_response(response, checks=CHECKS)


def is_body_wrong(case: Case) -> bool:
    """Whether what is sent does not fit the description; of addresses and what stands behind them
    much is passed over."""
    part = case.meta.components.get(ParameterLocation.BODY) if case.meta is not None else None
    return part is not None and part.mode is GenerationMode.NEGATIVE
