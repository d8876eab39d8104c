"""The OpenAI-compatible addresses in the description. They are plain coroutines that speak another
house's dialect, so what they take and give is written down here."""

from __future__ import annotations

from typing import Any

from ai_model.engine.request import MAX_TOP_ODDS
from apps.api.openai.completion_request import LONGEST, MAX_KEY_CHARS, MAX_MESSAGES, MAX_TEXT_CHARS
from apps.api.openapi.described import EVENT, EVENTS, Tag

Schema = dict[str, Any]
JSON = "application/json"


def _number(low: float, high: float) -> Schema:
    return {"type": "number", "minimum": low, "maximum": high, "nullable": True}


def _integer(low: int, high: int) -> Schema:
    return {"type": "integer", "minimum": low, "maximum": high, "nullable": True}


def _object(properties: Schema, **more: Any) -> Schema:
    """All of its properties are always there."""
    return {"type": "object", "required": list(properties), "properties": properties} | more


_COUNT: Schema = {"type": "integer", "minimum": 0}
_AMOUNT: Schema = {"type": "number", "minimum": 0}
_TEXT: Schema = {"type": "string"}
_FLAG: Schema = {"type": "boolean", "nullable": True}
_USAGE = _object(
    {
        "prompt_tokens": _COUNT,
        "completion_tokens": _COUNT,
        "total_tokens": _COUNT,
        "prompt_tokens_details": _object({"cached_tokens": _COUNT}),
    }
)
_TIMINGS = _object(
    {
        "cache_n": _COUNT,
        "prompt_n": _COUNT,
        "prompt_ms": _AMOUNT,
        "prompt_per_second": _AMOUNT,
        "predicted_n": _COUNT,
        "predicted_ms": _AMOUNT,
        "predicted_per_second": _AMOUNT,
        "queue_ms": _AMOUNT,
    },
    description="As llama.cpp's server tells them; milliseconds.",
)
_SAMPLING: Schema = {
    "model": {
        "type": "string",
        "maxLength": MAX_KEY_CHARS,
        "nullable": True,
        "description": "`corral`, or the name that `/v1/models` tells; may be left out.",
        "example": "corral",
    },
    "stream": _FLAG,
    "stream_options": {
        "type": "object",
        "nullable": True,
        "properties": {"include_usage": _FLAG},
    },
    "temperature": _number(0, 2),
    "top_p": _number(0, 1),
    "top_k": _integer(0, 1000),
    "min_p": _number(0, 1),
    "repeat_penalty": _number(0.5, 2),
    "presence_penalty": _number(-2, 2),
    "frequency_penalty": _number(-2, 2),
    "seed": _integer(-(2**63), 2**63 - 1),
    "max_tokens": _integer(1, LONGEST),
    "max_completion_tokens": _integer(1, LONGEST),
    "stop": {
        "nullable": True,
        "oneOf": [
            {"type": "string", "minLength": 1, "maxLength": 64},
            {
                "type": "array",
                "maxItems": 8,
                "items": {"type": "string", "minLength": 1, "maxLength": 64},
            },
        ],
    },
    "user": {
        "type": "string",
        "maxLength": MAX_KEY_CHARS,
        "nullable": True,
        "description": "Keeps the people behind one key apart.",
    },
}
_LONG_TEXT: Schema = {"type": "string", "maxLength": MAX_TEXT_CHARS}
_PROMPT: Schema = {"type": "string", "minLength": 1, "maxLength": MAX_TEXT_CHARS}
_PART = {
    "type": "object",
    "required": ["type", "text"],
    "properties": {"type": {"type": "string", "enum": ["text", "input_text"]}, "text": _LONG_TEXT},
}
_MESSAGE = {
    "type": "object",
    "required": ["role", "content"],
    "properties": {
        "role": {"type": "string", "enum": ["system", "developer", "user", "assistant"]},
        "content": {"oneOf": [_LONG_TEXT, {"type": "array", "items": _PART}]},
    },
}
_MESSAGES = {
    "type": "array",
    "minItems": 1,
    "maxItems": MAX_MESSAGES,
    "items": _MESSAGE,
    "description": "The whole conversation; the last message is a user's.",
}
_FINISH: Schema = {"type": "string", "enum": ["stop", "length"]}
_LOGPROBS: Schema = {"type": "object", "nullable": True}
_META = _object({"n_ctx": _COUNT, "n_params": _COUNT, "size": _COUNT})
_HEAD: Schema = {"id": _TEXT, "object": _TEXT, "created": _COUNT, "model": _TEXT}
_ENDING: Schema = {"usage": _USAGE, "timings": _TIMINGS}


def _choices(properties: Schema) -> Schema:
    choice = {"index": _COUNT, "finish_reason": _FINISH, "logprobs": _LOGPROBS}
    return {"type": "array", "items": _object(choice | properties)}


_ANSWER = _object(
    {
        "role": {"type": "string", "enum": ["assistant"]},
        "content": _TEXT,
        "refusal": {"type": "string", "nullable": True},
    }
)
SCHEMAS: Schema = {
    "ChatCompletionRequest": {
        "type": "object",
        "required": ["messages"],
        "properties": {
            "messages": _MESSAGES,
            "logprobs": _FLAG,
            "top_logprobs": _integer(0, MAX_TOP_ODDS),
        }
        | _SAMPLING,
    },
    "CompletionRequest": {
        "type": "object",
        "required": ["prompt"],
        "properties": {
            "prompt": {
                "oneOf": [
                    _PROMPT,
                    {"type": "array", "minItems": 1, "maxItems": 1, "items": _PROMPT},
                ]
            },
            # Some clients send what the address for chats takes.
            "logprobs": {
                "nullable": True,
                "oneOf": [
                    {"type": "integer", "minimum": 0, "maximum": MAX_TOP_ODDS},
                    {"type": "boolean"},
                ],
            },
        }
        | _SAMPLING,
    },
    "ChatCompletion": _object(_HEAD | {"choices": _choices({"message": _ANSWER})} | _ENDING),
    "Completion": _object(_HEAD | {"choices": _choices({"text": _TEXT})} | _ENDING),
    "OpenAIModel": {
        "type": "object",
        "required": ["id", "object", "created", "owned_by"],
        "properties": {
            "id": _TEXT,
            "object": _TEXT,
            "created": _COUNT,
            "owned_by": _TEXT,
            "meta": _META,
        },
    },
    "OpenAIError": _object(
        {
            "error": _object(
                {
                    "message": _TEXT,
                    "type": _TEXT,
                    "param": {"type": "string", "nullable": True},
                    "code": _TEXT,
                }
            )
        }
    ),
}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _operation(
    operation_id: str,
    summary: str,
    answer: Schema,
    *,
    takes: Schema | None = None,
    parameters: list[Schema] | None = None,
    streams: bool = False,
) -> Schema:
    content: Schema = {JSON: {"schema": answer}}
    if streams:
        content[EVENTS] = {"schema": EVENT}
    wrong = {JSON: {"schema": _ref("OpenAIError")}}
    operation: Schema = {
        "operationId": operation_id,
        "summary": summary,
        "tags": [str(Tag.OPENAI)],
        "security": [{"key": []}],
        "responses": {
            "200": {"description": "", "content": content},
            "default": {"description": "An error as OpenAI has it.", "content": wrong},
        },
    }
    if parameters:
        operation["parameters"] = parameters
    if takes is not None:
        operation["requestBody"] = {"required": True, "content": {JSON: {"schema": takes}}}
    return operation


_MODELS = _object(
    {"object": _TEXT, "data": {"type": "array", "items": _ref("OpenAIModel")}},
)
_NAME = {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}
PATHS: Schema = {
    "/v1/models": {"get": _operation("openai_models", "The model in use, as a list", _MODELS)},
    "/v1/models/{name}": {
        "get": _operation(
            "openai_model",
            "One model, if it is the one in use",
            _ref("OpenAIModel"),
            parameters=[_NAME],
        )
    },
    "/v1/chat/completions": {
        "post": _operation(
            "openai_chat_completion",
            "The answer to a conversation",
            _ref("ChatCompletion"),
            takes=_ref("ChatCompletionRequest"),
            streams=True,
        )
    },
    "/v1/completions": {
        "post": _operation(
            "openai_completion",
            "The answer to a text",
            _ref("Completion"),
            takes=_ref("CompletionRequest"),
            streams=True,
        )
    },
}
