"""Staff approve answers and word their questions; what visitors wrote needs the permission."""

from __future__ import annotations

import uuid

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from apps.ai_chat.approved_answers import add_wording, find_answer
from apps.ai_chat.models import ApprovedAnswer, ApprovedQuestion, Message
from apps.widget.models import Site
from tests.apps.ai_chat.test_unanswered import talk

pytestmark = pytest.mark.django_db
ADD = "admin:ai_chat_approvedanswer_add"
LIST = "admin:ai_chat_approvedanswer_changelist"
UNANSWERED = "admin:ai_chat_approvedanswer_unanswered"
ALL = (
    *("view_content", "view_conversation", "view_message"),
    *(
        f"{verb}_approved{noun}"
        for verb in ("view", "add", "change", "delete")
        for noun in ("answer", "question")
    ),
)
QUESTION, GOOD = "Where is the treasure?", "Below the **old oak**."


def staff(*permissions: str, name: str = "staff") -> Client:
    user = User.objects.create_user(name, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def approve(question: str, text: str = "Yes.", **options) -> ApprovedAnswer:
    answer = ApprovedAnswer.objects.create(text=text, **options)
    add_wording(answer=answer, text=question)
    return answer


def form(*wordings: str, num_known: int = 0, **fields: str) -> dict[str, str]:
    data = {
        "site": "",
        "language": "en",
        "text": GOOD,
        "is_on": "on",
        "questions-TOTAL_FORMS": str(len(wordings)),
        "questions-INITIAL_FORMS": str(num_known),
        "questions-MIN_NUM_FORMS": "1",
        "questions-MAX_NUM_FORMS": "40",
    }
    for number, wording in enumerate(wordings):
        data[f"questions-{number}-text"] = wording
    return data | fields


def log() -> list[str]:
    return [entry.get_change_message() for entry in LogEntry.objects.order_by("pk")]


# Approving


def test_a_good_answer_is_approved_from_its_message() -> None:
    client = staff(*ALL)
    answer = talk(QUESTION, text=GOOD)
    page = client.get(reverse("admin:ai_chat_message_change", args=[answer.pk])).content.decode()
    address = f"{reverse(ADD)}?from_answer={answer.pk}"
    assert f'href="{address}"' in page
    conversation = reverse("admin:ai_chat_conversation_change", args=[answer.conversation_id])
    assert f'href="{address}"' in client.get(conversation).content.decode()
    page = client.get(address).content.decode()
    assert GOOD in page and f'value="{QUESTION}"' in page
    # Sent as it stands: what was filled in is stored, although nobody changed it.
    sent = client.post(address, form(QUESTION))
    assert sent.status_code == 302, sent.context["errors"]
    found = find_answer(site_id=None, language="en", text="where is the treasure")
    assert found is not None and found.text == GOOD
    assert found.author == User.objects.get()
    assert len(log()) == 1 and "Added" in log()[0]


def test_site_and_language_come_from_the_conversation() -> None:
    site = Site.objects.create(name="Shop", default_language="de")
    answer = talk("Wo?", text="Hier.", site=site, language="de-at")
    page = staff(*ALL).get(reverse(ADD), {"from_answer": answer.pk})
    initial = page.context["adminform"].form.initial
    assert (initial["site"], initial["language"]) == (site.pk, "de")


def test_an_unanswered_question_opens_the_form_without_an_answer() -> None:
    answer = talk(QUESTION, text="No idea.", is_disliked=True)
    page = staff(*ALL).get(reverse(ADD), {"from_question": answer.question_id}).content.decode()
    assert QUESTION in page and "No idea" not in page


@pytest.mark.parametrize("wanted", ["nonsense", str(uuid.uuid4()), "' OR 1=1"])
def test_unknown_messages_are_not_found(wanted: str) -> None:
    client = staff(*ALL)
    for name in ("from_answer", "from_question"):
        assert client.get(reverse(ADD), {name: wanted}).status_code == 404


def test_content_fills_no_form_without_the_permission() -> None:
    answer = talk(QUESTION, text=GOOD)
    client = staff(*(name for name in ALL if name != "view_content"))
    for name, pk in (("from_answer", answer.pk), ("from_question", answer.question_id)):
        assert client.get(reverse(ADD), {name: pk}).status_code == 403
    page = client.get(reverse("admin:ai_chat_message_change", args=[answer.pk])).content.decode()
    assert "Approve this answer" not in page
    assert client.get(reverse(UNANSWERED)).status_code == 403
    assert client.get(reverse(ADD)).status_code == 200, "writing one needs no content"


def test_other_parameters_fill_in_nothing() -> None:
    page = staff(*ALL).get(reverse(ADD), {"text": "planted", "questions-0-text": "planted"})
    assert "planted" not in str(page.context["adminform"].form.initial)
    assert "planted" not in str(page.context["inline_admin_formsets"][0].formset)


def refused(client: Client, data: dict[str, str], pk: int | None = None) -> str:
    address = reverse(ADD)
    if pk is not None:
        address = reverse("admin:ai_chat_approvedanswer_change", args=[pk])
    answer = client.post(address, data)
    assert answer.status_code == 200, "the form is shown again"
    return " ".join(str(error) for error in answer.context["errors"])


def test_wordings_of_other_answers_are_refused_with_a_sentence() -> None:
    client = staff(*ALL)
    other = approve(QUESTION)
    assert f"number {other.pk}" in refused(client, form("where is the TREASURE"))
    assert "already" in refused(client, form("Hello", "hello!"))
    assert "no words" in refused(client, form("??"))
    assert "at least 1" in refused(client, form())
    assert ApprovedAnswer.objects.count() == 1
    assert client.post(reverse(ADD), form(QUESTION, language="de")).status_code == 302


def test_moving_an_answer_moves_its_wordings_or_is_refused() -> None:
    client = staff(*ALL)
    answer = approve(QUESTION)
    site = Site.objects.create(name="Shop")
    rows = {
        "questions-0-id": str(answer.questions.get().pk),
        "questions-0-answer": str(answer.pk),
        "site": str(site.pk),
    }
    taken = approve(QUESTION, site=site)
    assert f"number {taken.pk}" in refused(client, form(QUESTION, num_known=1, **rows), answer.pk)
    taken.delete()
    address = reverse("admin:ai_chat_approvedanswer_change", args=[answer.pk])
    assert client.post(address, form(QUESTION, num_known=1, **rows)).status_code == 302
    assert ApprovedQuestion.objects.get().site == site


def test_two_members_of_staff_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    approve(QUESTION)
    monkeypatch.setattr("apps.ai_chat.approved_answers.check_wordings", lambda **_: None)
    answer = staff(*ALL).post(reverse(ADD), form(QUESTION), follow=True)
    assert "Somebody else" in answer.content.decode()
    assert ApprovedAnswer.objects.count() == 1, "nothing is half stored"


def test_long_answers_and_many_wordings_fit_the_form() -> None:
    client = staff(*ALL)
    wordings = [f"\u0645\u0627 \u0647\u0630\u0627 {number}" for number in range(40)]
    sent = client.post(reverse(ADD), form(*wordings, text="\u6587" * 8000))
    assert sent.status_code == 302
    answer = ApprovedAnswer.objects.get()
    page = client.get(reverse("admin:ai_chat_approvedanswer_change", args=[answer.pk]))
    assert 'enctype="multipart/form-data"' in page.content.decode()
    assert answer.questions.count() == 40


def test_the_list_says_how_often_an_answer_was_used() -> None:
    client = staff(*ALL)
    used, unused = approve(QUESTION), approve("Anything else?")
    add_wording(answer=used, text="Where is it?")
    for number in range(3):
        talk(QUESTION, approved_answer=used, is_disliked=number == 0)
    rows = {row.pk: row for row in client.get(reverse(LIST)).context["cl"].result_list}
    assert (rows[used.pk].num_used, rows[used.pk].num_disliked) == (3, 1)
    assert (rows[unused.pk].num_used, rows[unused.pk].num_disliked) == (0, 0)
    page = client.get(reverse(LIST)).content.decode()
    assert "3\u00a0times" in page and "0\u00a0times" in page and f"{QUESTION} (+1)" in page


def test_on_and_off_are_logged() -> None:
    client = staff(*ALL)
    answer = approve(QUESTION)
    for action, is_on in (("turn_off", False), ("turn_off", False), ("turn_on", True)):
        client.post(reverse(LIST), {"action": action, "_selected_action": [answer.pk]})
        answer.refresh_from_db()
        assert answer.is_on is is_on
    assert log() == ["Turned off.", "Turned on."]
    reader = staff("view_approvedanswer", name="reader")
    reader.post(reverse(LIST), {"action": "turn_off", "_selected_action": [answer.pk]})
    answer.refresh_from_db()
    assert answer.is_on


# Unanswered questions


def test_unanswered_questions_are_listed_with_what_is_near() -> None:
    client = staff(*ALL)
    approve("What are your opening hours?")
    talk("opening hours <b>", is_disliked=True)
    page = client.get(reverse(UNANSWERED)).content.decode()
    assert "opening hours &lt;b&gt;" in page and "thumbs down" in page
    assert "What are your opening hours?" in page and "asked 1 time<" in page
    assert reverse(UNANSWERED) in client.get(reverse(LIST)).content.decode()


def test_one_click_adds_a_wording() -> None:
    client = staff(*ALL)
    answer = approve("What are your opening hours?", text="At nine.")
    asked = talk("opening hours", is_disliked=True).question
    address = reverse(f"{UNANSWERED}_choose", args=[asked.id])
    back = reverse(UNANSWERED) + "?days=7"
    sent = client.post(address, {"answer": answer.pk, "back": back}, follow=True)
    assert sent.redirect_chain == [(back, 302)]
    assert "At nine." in sent.content.decode() and not sent.context["rows"]
    assert find_answer(site_id=None, language="en", text="opening hours") == answer
    assert log() == ["Added a wording from a logged question."], "without the visitor's words"


def test_the_click_is_a_post_with_the_right_and_a_token() -> None:
    answer = approve("What are your opening hours?")
    asked = talk("opening hours", is_disliked=True).question
    address = reverse(f"{UNANSWERED}_choose", args=[asked.id])
    reader = staff("view_content", "view_approvedanswer", name="reader")
    assert reader.post(address, {"answer": answer.pk}).status_code == 403
    assert reader.get(address).status_code == 403
    page = reader.get(reverse(UNANSWERED)).content.decode()
    assert "opening hours" in page and "Choose an answer" not in page and "<q" not in page
    blind = staff("change_approvedanswer", "view_approvedanswer", name="blind")
    assert blind.post(address, {"answer": answer.pk}).status_code == 403
    assert Client().post(address, {"answer": answer.pk}).status_code == 302
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.create_superuser("boss"))
    assert strict.post(address, {"answer": answer.pk}).status_code == 403
    assert ApprovedQuestion.objects.count() == 1


@pytest.mark.parametrize("answer", ["", "x", "-1", "9" * 30, "99999"])
def test_what_is_gone_is_told(answer: str) -> None:
    client = staff(*ALL)
    asked = talk("opening hours", is_disliked=True).question
    address = reverse(f"{UNANSWERED}_choose", args=[asked.id])
    sent = client.post(address, {"answer": answer, "back": "//evil.example/"}, follow=True)
    assert sent.redirect_chain == [(reverse(UNANSWERED), 302)]
    assert "not there any more" in sent.content.decode()


def test_another_answer_is_chosen_by_searching() -> None:
    client = staff(*ALL)
    wanted = approve("Do you deliver?", text="Yes, everywhere.")
    approve("Hallo", text="Guten Tag.", language="de")
    off = approve("Old", text="Never.", is_on=False)
    asked = talk("bring it to me", is_disliked=True).question
    address = reverse(f"{UNANSWERED}_choose", args=[asked.id])
    assert set(client.get(address).context["answers"]) == {wanted, off}
    assert list(client.get(address, {"q": "everywhere"}).context["answers"]) == [wanted]
    assert list(client.get(address, {"q": "DELIVER"}).context["answers"]) == [wanted]
    assert client.get(reverse(f"{UNANSWERED}_choose", args=[uuid.uuid4()])).status_code == 404


def test_filters_and_pages_bear_anything() -> None:
    client = staff(*ALL)
    site = Site.objects.create(name="Shop")
    talk("Here?", is_disliked=True)
    talk("There?", is_disliked=True, site=site)
    for number in range(30):
        talk(f"Number {number}?", is_disliked=True, site=site)

    def texts(**query: str) -> list[str]:
        rows = client.get(reverse(UNANSWERED), query).context["rows"]
        return [row["question"].text for row in rows]

    assert texts(site="own") == ["Here?"]
    assert len(texts(site=str(site.pk))) == 25 and len(texts(site=str(site.pk), p="2")) == 6
    for query in ({"site": "9" * 40}, {"site": "\u00b2"}, {"days": "-1"}, {"p": "x"}):
        assert texts(**query)
    Message.objects.all().delete()
    assert "Nothing here" in client.get(reverse(UNANSWERED)).content.decode()
