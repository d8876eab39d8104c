"""What every view of the REST interface is built on, in our project and in anybody's."""

from __future__ import annotations

from typing import Any

from rest_framework.schemas import DefaultSchema
from rest_framework.schemas.inspectors import ViewInspector
from rest_framework.settings import APISettings
from rest_framework.views import APIView

from apps.api.rest_settings import REST

_OURS = APISettings(REST)


class OurSchema(DefaultSchema):  # type: ignore[misc]
    """Makes the description of a view when somebody asks for it: what does that is heavy."""

    def __get__(self, instance: Any, owner: Any) -> Any:
        found = ViewInspector.__get__(self, instance, owner)
        if not isinstance(found, DefaultSchema):
            return found
        inspector = _OURS.DEFAULT_SCHEMA_CLASS()
        inspector.view = instance
        return inspector


class RestView(APIView):
    """A view that behaves as ``rest_settings.py`` says, whatever the project it is a guest of has
    chosen for its own views."""

    settings = _OURS
    authentication_classes = _OURS.DEFAULT_AUTHENTICATION_CLASSES
    permission_classes = _OURS.DEFAULT_PERMISSION_CLASSES
    renderer_classes = _OURS.DEFAULT_RENDERER_CLASSES
    parser_classes = _OURS.DEFAULT_PARSER_CLASSES
    throttle_classes = _OURS.DEFAULT_THROTTLE_CLASSES
    content_negotiation_class = _OURS.DEFAULT_CONTENT_NEGOTIATION_CLASS
    schema = OurSchema()
