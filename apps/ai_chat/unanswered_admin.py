"""The pages of unanswered questions, which stand below the approved answers in the admin."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from apps.ai_chat import approved_answers, unanswered
from apps.ai_chat.models import ApprovedAnswer, Message
from apps.widget.models import Site

if TYPE_CHECKING:
    from django.contrib.admin import AdminSite

NUM_DAYS = (1, 7, 30, 90)
DEFAULT_DAYS = 30
PER_PAGE = 25
MAX_CHOICES = 50
OWN_SITE = "own"
LIST = "admin:ai_chat_approvedanswer_unanswered"
NO_STORE = {"Cache-Control": "no-store"}


class UnansweredPages:
    """The list, and the page on which an answer is chosen; part of ApprovedAnswerAdmin."""

    admin_site: AdminSite
    opts: Any
    has_view_permission: Callable[..., bool]
    has_change_permission: Callable[..., bool]
    has_add_permission: Callable[..., bool]
    log_change: Callable[..., Any]
    message_user: Callable[..., None]

    def unanswered_view(self, request: HttpRequest) -> HttpResponse:
        """The questions without a good answer, most often asked first."""
        self._require(request, self.has_view_permission(request))
        num_days = _num_days(request)
        wanted_site = request.GET.get("site", "")
        found = unanswered.list_unanswered(num_days=num_days, site_id=_site_id(wanted_site))
        page = Paginator(found.questions, PER_PAGE).get_page(request.GET.get("p"))
        rows = [
            {
                "question": question,
                "reasons": question.reasons.most_common(),
                "near": self._near(question) if self.has_change_permission(request) else (),
                "choose": reverse(f"{LIST}_choose", args=[question.message_id]),
            }
            for question in page
        ]
        context = {
            "title": "Unanswered questions",
            "rows": rows,
            "page": page,
            "is_cut": found.is_cut,
            "max_answers": unanswered.MAX_ANSWERS,
            "num_days": num_days,
            "all_num_days": NUM_DAYS,
            "site": wanted_site,
            "sites": Site.objects.all(),
            "can_add": self.has_add_permission(request),
            "can_change": self.has_change_permission(request),
            "add_url": reverse("admin:ai_chat_approvedanswer_add"),
            "full_path": request.get_full_path(),
        }
        return self._page(request, "unanswered.html", context)

    def choose_view(self, request: HttpRequest, message_id: uuid.UUID) -> HttpResponse:
        """The answers one question can become a wording of; a POST makes it one."""
        self._require(request, self.has_change_permission(request))
        try:
            question = unanswered.find_question(message_id)
        except Message.DoesNotExist:
            raise Http404("There is no such question.") from None
        if request.method == "POST":
            return self._add_wording(request, message_id)
        search = request.GET.get("q", "").strip()[:100]
        answers = unanswered.answers_to_choose_from(question=question, search=search)
        context = {
            "title": "Choose the answer to a question",
            "question": question,
            "answers": answers[:MAX_CHOICES],
            "is_cut": answers.count() > MAX_CHOICES,
            "max_choices": MAX_CHOICES,
            "search": search,
        }
        return self._page(request, "choose.html", context)

    def _add_wording(self, request: HttpRequest, message_id: uuid.UUID) -> HttpResponse:
        try:
            answer_id = int(request.POST.get("answer", ""))
            wording = unanswered.add_to_answer(message_id=message_id, answer_id=answer_id)
        except ValidationError as error:
            self.message_user(request, " ".join(error.messages), messages.ERROR)
        except (ValueError, OverflowError, ApprovedAnswer.DoesNotExist, Message.DoesNotExist):
            self.message_user(request, "That answer is not there any more.", messages.ERROR)
        else:
            answer = wording.answer
            # The visitor's words stand in the wording itself; the log needs none of them.
            self.log_change(request, answer, "Added a wording from a logged question.")
            self.message_user(request, f"Added to: \u201c{answer}\u201d.", messages.SUCCESS)
        return HttpResponseRedirect(_way_back(request))

    def _near(self, question: unanswered.UnansweredQuestion) -> tuple[Any, ...]:
        if not question.can_be_wording:
            return ()
        return approved_answers.near_answers(
            site_id=question.site_id,
            language=question.language,
            text=question.text,
            limit=2,
            least=approved_answers.STAFF_NEAR_SCORE,
        )

    def _require(self, request: HttpRequest, is_permitted: bool) -> None:
        """What visitors wrote is shown to those only who may read it."""
        if not (is_permitted and request.user.has_perm("ai_chat.view_content")):
            raise PermissionDenied

    def _page(self, request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
        template = f"admin/ai_chat/approvedanswer/{name}"
        full = {**self.admin_site.each_context(request), "opts": self.opts, **context}
        return TemplateResponse(request, template, full, headers=NO_STORE)


def _num_days(request: HttpRequest) -> int:
    wanted = request.GET.get("days", "")
    return next((days for days in NUM_DAYS if str(days) == wanted), DEFAULT_DAYS)


def _site_id(wanted: str) -> int | None:
    if wanted == OWN_SITE:
        return None
    # Nine digits fit every database's keys.
    is_number = wanted.isascii() and wanted.isdigit() and len(wanted) < 10
    return int(wanted) if is_number else unanswered.ANY_SITE


def _way_back(request: HttpRequest) -> str:
    """The list as it was, with its filters; never another place."""
    address = reverse(LIST)
    back = request.POST.get("back", "")
    return back if back.partition("?")[0] == address else address
