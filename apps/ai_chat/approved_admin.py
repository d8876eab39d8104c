"""Approved answers in the admin: writing them, and wording the questions they are given to."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.forms.models import BaseInlineFormSet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from apps.ai_chat import approved_answers, unanswered
from apps.ai_chat.models import ApprovedAnswer, ApprovedQuestion, Feedback, Message
from apps.ai_chat.unanswered_admin import UnansweredPages

VIEW_CONTENT = "ai_chat.view_content"
OWN_PAGE = "Our own page"
FROM_ANSWER, FROM_QUESTION = "from_answer", "from_question"
"""Parameters of the add form: a message that fills it in."""


class WordingFormSet(BaseInlineFormSet):  # type: ignore[type-arg]
    """Wordings that no other approved answer has, and that are not there twice."""

    def clean(self) -> None:
        super().clean()
        kept = [
            form.cleaned_data["text"]
            for form in self.forms
            if getattr(form, "cleaned_data", {}).get("text") and form not in self.deleted_forms
        ]
        answer: ApprovedAnswer = self.instance
        answer.language = answer.language.strip().lower()
        approved_answers.check_wordings(answer=answer, texts=kept)


class WordingInline(admin.TabularInline):  # type: ignore[type-arg]
    """The questions an answer is given to."""

    model = ApprovedQuestion
    formset = WordingFormSet
    fields = ("text",)
    min_num, max_num, extra = 1, approved_answers.MAX_WORDINGS, 2
    validate_min = True
    verbose_name, verbose_name_plural = "wording", "Question, in all wordings"

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        kwargs["validate_min"] = True
        kwargs["widgets"] = {"text": forms.TextInput(attrs={"size": 70, "dir": "auto"})}
        kwargs["labels"] = {"text": "Wording"}
        return super().get_formset(request, obj, **kwargs)


class ApprovedAnswerForm(forms.ModelForm):  # type: ignore[type-arg]
    """The answer itself."""

    class Meta:
        model = ApprovedAnswer
        fields = ("site", "language", "text", "is_on")
        widgets = {"text": forms.Textarea(attrs={"rows": 10, "cols": 80, "dir": "auto"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = dict(settings.LANGUAGES)
        own = self.initial.get("language") or self.instance.language
        self.fields["language"] = forms.ChoiceField(
            choices=sorted(({own: names.get(own, own)} | names).items(), key=lambda item: item[1]),
            help_text="Of the question and its answer.",
        )
        self.fields["text"].help_text = "Markdown, as in the answers of the model."

    def is_multipart(self) -> bool:
        # Percent-encoded, a long answer in Arabic or Chinese is over the limit for a form.
        return True


@admin.register(ApprovedAnswer)
class ApprovedAnswerAdmin(UnansweredPages, admin.ModelAdmin):  # type: ignore[type-arg]
    """Answers that are given without the model."""

    form = ApprovedAnswerForm
    inlines = (WordingInline,)
    list_display = ("first_wording", "answer", "place", "language", "is_on", "used", "disliked")
    list_display_links = ("first_wording",)
    list_filter = ("is_on", "language", "site")
    list_per_page = 50
    list_select_related = ("site",)
    search_fields = ("text", "questions__text")
    readonly_fields = ("used", "disliked", "author", "updated")
    actions = ("turn_on", "turn_off")
    fieldsets = (
        (
            None,
            {
                "fields": ("site", "language", "text", "is_on"),
                "description": "Whoever asks one of the wordings below is given this text, word "
                "for word and without the model. Others may be offered the wording as \u201cDid "
                "you mean \u2026?\u201d. Leave out names, numbers and whatever else belongs to "
                "one visitor.",
            },
        ),
        ("Numbers", {"fields": (("used", "disliked"), "author", "updated")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApprovedAnswer]:
        used = Message.objects.filter(approved_answer=OuterRef("pk"))
        disliked = used.filter(feedback__value=Feedback.Value.DOWN)
        answers = super().get_queryset(request).prefetch_related("questions")
        return answers.annotate(num_used=_count(used), num_disliked=_count(disliked))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        return fieldsets if obj is not None else fieldsets[:1]

    def get_urls(self) -> list[URLPattern]:
        """Return the pages of unanswered questions before the usual ones."""
        name = "ai_chat_approvedanswer_unanswered"
        view = self.admin_site.admin_view
        return [
            path("unanswered/", view(self.unanswered_view), name=name),
            path(
                "unanswered/<uuid:message_id>/",
                view(self.choose_view),
                name=f"{name}_choose",
            ),
            *super().get_urls(),
        ]

    # The list

    @admin.display(description="question")
    def first_wording(self, answer: ApprovedAnswer) -> str:
        """The first wording, and how many more there are."""
        texts = [question.text for question in answer.questions.all()]
        if not texts:
            return "(no wording)"
        more = f" (+{len(texts) - 1})" if len(texts) > 1 else ""
        return f"{texts[0][:80]}{more}"

    @admin.display(description="answer")
    def answer(self, answer: ApprovedAnswer) -> str:
        """Its beginning."""
        return answer.text if len(answer.text) <= 50 else f"{answer.text[:49]}\u2026"

    @admin.display(description="site", ordering="site__name")
    def place(self, answer: ApprovedAnswer) -> str:
        """Where it is given."""
        return answer.site.name if answer.site else OWN_PAGE

    @admin.display(description="used", ordering="num_used")
    def used(self, answer: ApprovedAnswer) -> str:
        """How often it was given in the conversations that are still kept."""
        num = getattr(answer, "num_used", 0)
        return f"{num:,}\u00a0time{'' if num == 1 else 's'}"

    @admin.display(description="thumbs down", ordering="num_disliked")
    def disliked(self, answer: ApprovedAnswer) -> int:
        """How often visitors did not like it."""
        return int(getattr(answer, "num_disliked", 0))

    @admin.action(description="Turn on", permissions=["change"])
    def turn_on(self, request: HttpRequest, queryset: QuerySet[ApprovedAnswer]) -> None:
        """Give these from now on."""
        self._turn(request, queryset, is_on=True)

    @admin.action(description="Turn off", permissions=["change"])
    def turn_off(self, request: HttpRequest, queryset: QuerySet[ApprovedAnswer]) -> None:
        """Give these no longer."""
        self._turn(request, queryset, is_on=False)

    def _turn(
        self, request: HttpRequest, queryset: QuerySet[ApprovedAnswer], *, is_on: bool
    ) -> None:
        state = "on" if is_on else "off"
        num = 0
        for answer in queryset:
            if approved_answers.turn(answer=answer, is_on=is_on):
                self.log_change(request, answer, f"Turned {state}.")
                num += 1
        self.message_user(request, f"{num} turned {state}.", messages.SUCCESS)

    # The form

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "site":
            kwargs["empty_label"] = OWN_PAGE
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except IntegrityError:
            said = "Somebody else has just approved one of these wordings. Nothing was saved."
            self.message_user(request, said, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def save_model(self, request: HttpRequest, obj: ApprovedAnswer, form: Any, change: Any) -> None:
        if not change:
            obj.author_id = request.user.pk
        super().save_model(request, obj, form, change)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Site, language and text of the message the form was opened from, and nothing else."""
        question, answer = _source(request)
        if question is None:
            return {"language": settings.LANGUAGE_CODE, "is_on": True}
        place = question.conversation
        languages = approved_answers.languages_for(site_id=place.site_id, language=place.language)
        known = dict(settings.LANGUAGES)
        return {
            "site": place.site_id,
            "language": next((name for name in languages if name in known), languages[0]),
            "text": answer.text if answer is not None else "",
            "is_on": True,
        }

    def get_formset_kwargs(
        self, request: HttpRequest, obj: Any, inline: Any, prefix: str
    ) -> dict[str, Any]:
        """With the question of the message as the first wording of a new answer."""
        kwargs: dict[str, Any] = super().get_formset_kwargs(request, obj, inline, prefix)
        # Not when it is sent: a form that is as it was opened would count as left empty.
        if request.method == "GET" and obj.pk is None:
            question, _ = _source(request)
            if question is not None:
                text = " ".join(question.text.split())
                kwargs["initial"] = [{"text": text[: approved_answers.MAX_QUESTION_CHARS]}]
        return kwargs


def _count(rows: QuerySet[Message]) -> Coalesce:
    """The number of these messages for each approved answer."""
    counted = rows.order_by().values("approved_answer").annotate(num=Count("pk")).values("num")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def _source(request: HttpRequest) -> tuple[Message | None, Message | None]:
    """The question, and the answer if there is one, that an add form was opened from."""
    wanted = request.GET.get(FROM_ANSWER) or request.GET.get(FROM_QUESTION)
    if not wanted:
        return None, None
    if not request.user.has_perm(VIEW_CONTENT):
        raise PermissionDenied
    try:
        message_id = uuid.UUID(wanted)
        if FROM_QUESTION in request.GET:
            return unanswered.find_question(message_id), None
        answer = Message.objects.select_related("question__conversation").get(
            pk=message_id, role=Message.Role.ASSISTANT, question__isnull=False
        )
    except (ValueError, Message.DoesNotExist):
        raise Http404("There is no such message.") from None
    return answer.question, answer


def may_approve(request: HttpRequest) -> bool:
    """True if this user may make approved answers of what is in conversations."""
    return request.user.has_perm(VIEW_CONTENT) and request.user.has_perm(
        "ai_chat.add_approvedanswer"
    )


class ApproveLink:
    """For admins that show messages: a column or field with the way to approve an answer."""

    @admin.display(description="approved answer")
    def approve_link(self, message: Message) -> str:
        """A link to the form, filled in; nothing for what cannot be approved."""
        if message.approved_answer_id is not None:
            address = reverse(
                "admin:ai_chat_approvedanswer_change", args=[message.approved_answer_id]
            )
            return format_html('<a href="{}">given to this question</a>', address)
        if message.role != Message.Role.ASSISTANT or not message.text or message.is_command:
            return "-"
        address = reverse("admin:ai_chat_approvedanswer_add")
        return format_html(
            '<a href="{}?{}={}">Approve this answer</a>', address, FROM_ANSWER, message.pk
        )
