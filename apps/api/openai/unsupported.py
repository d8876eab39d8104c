"""Fields of OpenAI's API, and of servers like it, that would change the answer and cannot here.

They are refused with a sentence rather than passed over: a client that asks for JSON and gets prose
fails later, and worse. Fields that change nothing about the answer (``metadata``, ``store``,
``service_tier``) and those nobody knows are passed over, so that clients of tomorrow work.
"""

from __future__ import annotations

from typing import Any

from apps.api.openai.errors import not_supported
from apps.api.openai.fields import RequestFields

_NO_GRAMMAR = "Answers cannot be held to a grammar or a schema; ask for the form in the prompt."
_REFUSED = {
    "tools": "The model cannot call tools.",
    "functions": "The model cannot call functions.",
    "logit_bias": "logit_bias is not supported.",
    "audio": "The model writes text only.",
    "prediction": "Predicted answers are not supported.",
    "web_search_options": "The model cannot search.",
    "suffix": "The model cannot fill in.",
    **dict.fromkeys(
        (
            "grammar",
            "json_schema",
            "structured_outputs",
            *("guided_json", "guided_regex", "guided_choice", "guided_grammar"),
        ),
        _NO_GRAMMAR,
    ),
}
"""What is refused unless it is empty."""
_PLAIN: dict[str, tuple[Any, ...]] = {
    "n": (1,),
    "best_of": (1,),
    "echo": (False,),
    "tool_choice": ("none", "auto"),
    "function_call": ("none", "auto"),
    "modalities": (["text"],),
}
"""What may have only these values."""
_FORMS_OF_JSON = ("json_object", "json_schema")


def refuse_unsupported(fields: RequestFields) -> None:
    """Raise OpenAIError if a field asks for something that there is not."""
    for name, text in _REFUSED.items():
        if fields.get(name):
            raise not_supported(name, text)
    for name, values in _PLAIN.items():
        given = fields.get(name)
        if given is not None and given not in values:
            raise not_supported(name, f"{name} other than {_words(values)} is not supported.")
    _refuse_form(fields.get("response_format"))


def _refuse_form(form: Any) -> None:
    kind = form.get("type") if isinstance(form, dict) else form
    if kind is None or kind == "text":
        return
    text = _NO_GRAMMAR if kind in _FORMS_OF_JSON else "Only response_format text is supported."
    raise not_supported("response_format", text)


def _words(values: tuple[Any, ...]) -> str:
    return " or ".join(str(value).lower() for value in values)
