"""Turns what views say about themselves into operations of the description."""

from __future__ import annotations

from typing import Any, cast

from drf_spectacular.drainage import warn
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.serializers import Serializer

from apps.api.openapi.described import (
    EVENT,
    EVENTS,
    Answer,
    Description,
    JsonOrText,
    ListOf,
    PageOf,
    TextOf,
)
from apps.api.openapi.error_shape import ErrorSerializer

NOT_MODIFIED = "You have the newest already."
ERROR = "Anything else: what went wrong, in a sentence."
CURSOR = "Where the page begins, as `next` and `previous` have it."
LIMIT = "Items in a page."


class ViewSchema(AutoSchema):
    """Reads the ``described`` decorator; everything a view says nothing about is warned of."""

    def get_operation_id(self) -> str:
        return self._said.id

    def get_summary(self) -> str:
        return self._said.summary

    def get_description(self) -> str:  # type: ignore[override]
        return self._said.text

    def get_tags(self) -> list[str]:
        return [str(self._said.tag)]

    def get_request_serializer(self) -> Any:
        wanted = self._said.request
        return {"application/json": wanted} if isinstance(wanted, dict) else wanted

    def get_filter_backends(self) -> list[Any]:
        return []

    def get_response_serializers(self) -> Any:
        answers: dict[Any, Any] = {}
        for status, answer in self._said.responses.items():
            if isinstance(answer, JsonOrText):
                answers[str(status), "application/json"] = answer.schema
                answer = answer.text
            key = (str(status), answer.media_type) if isinstance(answer, TextOf) else str(status)
            answers[key] = self._answer(answer)
        if self._has_etag:
            answers["304"] = OpenApiResponse(description=NOT_MODIFIED)
        answers["default"] = OpenApiResponse(ErrorSerializer, description=ERROR)
        return answers

    def get_override_parameters(self) -> list[Any]:
        said = self._said
        found: list[Any] = [
            OpenApiParameter(one.name, str, "header", description=one.text) for one in said.headers
        ]
        if said.query is not None:
            found.append(said.query)
        if any(isinstance(one, PageOf) for one in said.responses.values()):
            limit = {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}
            found.append(OpenApiParameter("cursor", str, description=CURSOR))
            found.append(OpenApiParameter("limit", limit, description=LIMIT))
        if self._has_etag:
            found.append(OpenApiParameter("If-None-Match", str, "header"))
            found.append(OpenApiParameter("ETag", str, "header", response=[200, 304]))
        return found

    def _is_list_view(self, serializer: Any = None) -> bool:
        """Lists are said to be such; nothing is guessed from the method."""
        return False

    def _answer(self, answer: Answer) -> Any:
        if isinstance(answer, TextOf):
            schema = EVENT if answer.media_type == EVENTS else {"type": "string"}
            return OpenApiResponse(schema, description=answer.text)
        if isinstance(answer, ListOf):
            return self._list(answer.item)
        if isinstance(answer, PageOf):
            place = {"type": "string", "format": "uri", "nullable": True}
            fields = {"next": place, "previous": place, "results": self._list(answer.item)}
            return {"type": "object", "required": list(fields), "properties": fields}
        return answer

    def _list(self, item: type[Serializer[Any]]) -> dict[str, Any]:
        ref = self.resolve_serializer(item, "response").ref
        return {"type": "array", "items": ref}

    @property
    def _method(self) -> Any:
        return getattr(self.view, self.method.lower(), None)

    @property
    def _has_etag(self) -> bool:
        return bool(getattr(self._method, "has_etag", False))

    @property
    def _said(self) -> Description:
        said = getattr(self._method, "description", None)
        if said is None:
            name = f"{type(self.view).__name__}.{self.method.lower()}"
            warn(f"{name} has no `described` decorator.")
            said = Description(id=name.replace(".", "_"), summary=name, tag=cast(Any, "?"))
        return cast(Description, said)


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """A program's key."""

    target_class = "apps.api.key_authentication.KeyAuthentication"
    name = "key"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        text = "A key made by `manage.py apikey create` or in the admin."
        return {"type": "http", "scheme": "bearer", "description": text}


class VisitorScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Visitors and staff."""

    target_class = "apps.api.authentication.VisitorAuthentication"
    name = ["visitor", "browser"]

    def get_security_requirement(self, auto_schema: Any) -> Any:
        return [{"visitor": []}, {"browser": []}]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, Any]]:
        token = "A visitor's token of a website, or a JWT the website vouches with."
        cookie = "A page of this server; writing needs `X-CSRFToken` besides."
        return [
            {"type": "http", "scheme": "bearer", "description": token},
            {"type": "apiKey", "in": "cookie", "name": "sessionid", "description": cookie},
        ]
