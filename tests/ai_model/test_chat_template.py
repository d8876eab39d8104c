"""Only the Zephyr layout is recognised, however it is spelled."""

from __future__ import annotations

import jinja2.sandbox
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ai_model.chat_template import TemplateKind, recognise_template
from tests.ai_model.tiny_model import CHAT_TEMPLATE

TRIMMED = (
    "{%- for message in messages -%}"
    "{%- if message.role == 'system' -%}{{- '<|system|>\n' + message.content + eos_token + '\n' -}}"
    "{%- elif message.role == \"user\" -%}{{- '<|user|>\n' + message.content + eos_token + '\n' -}}"
    "{%- elif message.role == 'assistant' -%}"
    "{{- '<|assistant|>\n' + message.content + eos_token + '\n' -}}"
    "{%- endif -%}{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|assistant|>\n' -}}{%- endif -%}"
)
ZEPHYR = {
    "as in TinyLlama": CHAT_TEMPLATE,
    "double quotes": CHAT_TEMPLATE.replace("'", '"'),
    "escaped newlines": CHAT_TEMPLATE.replace("|>\n'", "|>\\n'"),
    "attributes": CHAT_TEMPLATE.replace("message['content']", "message.content"),
    "more spaces": CHAT_TEMPLATE.replace("{% if", "{%   if").replace(" + ", "  +  "),
    "indented": CHAT_TEMPLATE.replace("{% elif", "    {% elif"),
    "a comment": "{# Zephyr #}\n" + CHAT_TEMPLATE,
    "a final newline": CHAT_TEMPLATE + "\n",
    "trimmed tags": TRIMMED,
}
OTHERS = {
    "empty": "",
    "text": "hello",
    "other role marker": CHAT_TEMPLATE.replace("<|user|>", "<|human|>"),
    "roles swapped": CHAT_TEMPLATE.replace("== 'user'", "== 'x'").replace(
        "== 'assistant'", "== 'user'"
    ),
    "no newline behind a turn": CHAT_TEMPLATE.replace("}}\n{% e", "}}{% e"),
    "no end of turn": CHAT_TEMPLATE.replace(" + eos_token", "", 1),
    "begin token": CHAT_TEMPLATE.replace("{{ '<|user", "{{ bos_token + '<|user"),
    "filter": CHAT_TEMPLATE.replace("message['content']", "message['content'] | trim"),
    "call": CHAT_TEMPLATE.replace("message['content']", "message['content'].strip()"),
    "text in front": "You are nice.\n" + CHAT_TEMPLATE,
    "text behind": CHAT_TEMPLATE + "Go!",
    "text inside": CHAT_TEMPLATE.replace("eos_token }}\n", "eos_token }}\n!", 1),
    "an empty turn goes first": CHAT_TEMPLATE.replace(
        "{% elif message['role'] == 'assistant' %}",
        "{% elif message['role'] == 'assistant' %}\n{% elif message['role'] == 'assistant' %}",
    ),
    "no system role": CHAT_TEMPLATE.replace("== 'system'", "== 'tool'"),
    "no opening": CHAT_TEMPLATE.replace("{{ '<|assistant|>' }}\n", ""),
    "other opening": CHAT_TEMPLATE.replace("{{ '<|assistant|>' }}", "{{ '<|user|>' }}"),
    "set": "{% set x = 1 %}\n" + CHAT_TEMPLATE,
    "two loops": CHAT_TEMPLATE + "\n" + CHAT_TEMPLATE,
    "not closed": CHAT_TEMPLATE.removesuffix("{% endfor %}"),
    "closed twice": CHAT_TEMPLATE + "{% endfor %}",
    "an attack": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "too long": CHAT_TEMPLATE + "{# " + "x" * 20_000 + " #}",
    "blanks behind a block": CHAT_TEMPLATE.replace("{% endif %}\n{% if", "{% endif %} {% if"),
    "nul": CHAT_TEMPLATE.replace("<|user|>", "\x00content"),
    "escape in a literal": CHAT_TEMPLATE.replace("<|user|>", "\\x3c|user|>"),
}


@pytest.mark.parametrize("case", ZEPHYR)
def test_zephyr_is_recognised_in_all_its_spellings(case: str) -> None:
    assert recognise_template(ZEPHYR[case]) is TemplateKind.ZEPHYR


@pytest.mark.parametrize("case", OTHERS)
def test_everything_else_is_not(case: str) -> None:
    assert recognise_template(OTHERS[case]) is None


def rendered(template: str) -> str:
    environment = jinja2.sandbox.ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello"},
        {"role": "user", "content": "Bye"},
    ]
    return environment.from_string(template).render(
        messages=messages, eos_token="</s>", add_generation_prompt=True
    )


@pytest.mark.parametrize("case", ZEPHYR)
def test_what_is_recognised_renders_as_zephyr(case: str) -> None:
    """Jinja itself is the judge: every accepted spelling writes the same prompt."""
    assert rendered(ZEPHYR[case]).rstrip("\n") == (
        "<|system|>\nBe brief.</s>\n<|user|>\nHi</s>\n<|assistant|>\nHello</s>\n<|user|>\nBye</s>\n"
        "<|assistant|>"
    )


@settings(max_examples=500, deadline=None)
@given(st.integers(0, len(CHAT_TEMPLATE) - 1), st.characters())
@example(CHAT_TEMPLATE.index("{% endif %}\n{% if") + len("{% endif %}"), " ")
def test_a_changed_character_is_refused_or_renders_the_same(position: int, other: str) -> None:
    changed = CHAT_TEMPLATE[:position] + other + CHAT_TEMPLATE[position + 1 :]
    if recognise_template(changed) is TemplateKind.ZEPHYR:
        assert rendered(changed).rstrip("\n") == rendered(CHAT_TEMPLATE).rstrip("\n")


@given(st.text(max_size=300))
def test_any_text_is_judged_without_an_error(text: str) -> None:
    recognise_template(text)
    recognise_template("{% for message in messages %}" + text + "{% endfor %}")
