"""``manage.py chat_export``: whole files or none, nothing overwritten by accident."""

from __future__ import annotations

import io
import json
import stat
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from apps.ai_chat import services
from apps.widget.models import Site
from tests.apps.ai_chat.services.asking import ANNA, BERT, exchange

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> tuple[str, str]:
    """What came on standard output and on standard error."""
    out, err = io.StringIO(), io.StringIO()
    call_command("chat_export", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def failing(*arguments: str) -> tuple[str, int]:
    with pytest.raises(CommandError) as caught:
        run(*arguments)
    return str(caught.value), caught.value.returncode


def test_json_lines_on_standard_output_and_the_number_beside_it() -> None:
    exchange("One?", "Sí\n\x1b[2J.")
    exchange("Two?", "No.", visitor=BERT)
    out, err = run("--all")
    first, second = map(json.loads, out.splitlines())
    assert [message["text"] for message in first["messages"]] == ["One?", "Sí\n\x1b[2J."]
    assert second["visitor"] == BERT.pseudonym
    assert out.isascii() and "\x1b" not in out
    assert err == "Wrote 2 conversations.\n"


def test_one_visitor_as_text_into_a_private_file(tmp_path: Path) -> None:
    exchange("One?", "Sí.")
    exchange("Three?", "Four.")
    exchange("Theirs?", "No.", visitor=BERT)
    path = tmp_path / "chats.txt"
    out, err = run("--visitor", ANNA.pseudonym, "--format", "text", "--output", str(path))
    assert out == f"Wrote 2 conversations to {path}.\n" and err == ""
    text = path.read_text()
    assert "    Sí.\n" in text and "Theirs?" not in text
    assert text.count("\nConversation ") == 1 and text.startswith("Conversation ")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_is_there_stays_unless_forced(tmp_path: Path) -> None:
    sent = exchange("One?", "Yes.")
    path = tmp_path / "chats.jsonl"
    path.write_text("dear\n")
    target = ("--conversation", str(sent.conversation), "--output", str(path))
    sentence, code = failing(*target)
    assert "--force" in sentence and code == 2 and path.read_text() == "dear\n"
    run(*target, "--force")
    assert json.loads(path.read_text())["id"] == str(sent.conversation)


def test_a_file_that_appears_meanwhile_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange("One?", "Yes.")
    path = tmp_path / "chats.jsonl"
    export_chats = services.export_chats

    def slow(**which: object):  # type: ignore[no-untyped-def]
        yield from export_chats()
        path.write_text("dear\n")

    monkeypatch.setattr(services, "export_chats", slow)
    assert failing("--all", "--output", str(path))[1] == 2
    assert path.read_text() == "dear\n" and list(tmp_path.iterdir()) == [path]


def test_what_breaks_in_the_middle_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**which: object):  # type: ignore[no-untyped-def]
        yield {"id": 1}
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(services, "export_chats", broken)
    sentence, code = failing("--all", "--output", str(tmp_path / "chats.jsonl"))
    assert "No space left on device" in sentence and code == 1
    assert list(tmp_path.iterdir()) == []


def test_nothing_to_write_is_said_and_leaves_no_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = Site.objects.create(name="Shop")
    path = tmp_path / "chats.jsonl"
    with pytest.raises(SystemExit) as ended:
        call_command("chat_export", "--site", site.key, "--output", str(path))
    assert ended.value.code == 1 and "nothing to write" in capsys.readouterr().out
    assert not path.exists()


@pytest.mark.parametrize(
    ("arguments", "words", "code"),
    [
        (("--site", "site_nowhere"), "no site with the key", 2),
        (("--conversation", "7"), "not the id of a conversation", 2),
        (("--visitor", "v-000000"), "No visitor called", 1),
    ],
)
def test_who_is_unknown(arguments: tuple[str, str], words: str, code: int) -> None:
    sentence, returned = failing(*arguments)
    assert words in sentence and returned == code
