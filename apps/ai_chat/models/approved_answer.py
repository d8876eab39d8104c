"""Answers that staff stand for, and the questions they answer."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from apps.ai_chat.wording import normalise


class ApprovedAnswer(models.Model):
    """A text that is given without asking the model."""

    site = models.ForeignKey(
        "widget.Site",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="approved_answers",
        help_text="Empty: our own page.",
    )
    language = models.CharField(max_length=12, default="en")
    text = models.TextField(max_length=8000)
    is_on = models.BooleanField("on", default=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL
    )
    created = models.DateTimeField(auto_now_add=True)
    updated = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("-updated", "-id")

    def __str__(self) -> str:
        return self.text[:60]

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store it; its wordings move to its site and language with it."""
        self.language = self.language.strip().lower().replace("_", "-")
        with transaction.atomic():
            super().save(*args, **kwargs)
            place = {"site_id": self.site_id, "language": self.language}
            self.questions.exclude(**place).update(**place)


class ApprovedQuestion(models.Model):
    """One wording of the question that an approved answer answers."""

    answer = models.ForeignKey(ApprovedAnswer, on_delete=models.CASCADE, related_name="questions")
    site = models.ForeignKey(
        "widget.Site", null=True, blank=True, editable=False, on_delete=models.CASCADE
    )
    language = models.CharField(max_length=12, editable=False)
    text = models.CharField(max_length=400)
    normalised = models.CharField(max_length=400, editable=False)

    class Meta:
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(
                fields=["site", "language", "normalised"], name="question_approved_once"
            ),
            models.UniqueConstraint(
                fields=["language", "normalised"],
                condition=Q(site=None),
                name="question_approved_once_here",
            ),
        ]

    def __str__(self) -> str:
        return self.text

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store it with the site and language of its answer and the form it is found by."""
        self.site_id = self.answer.site_id
        self.language = self.answer.language
        self.normalised = normalise(self.text)
        with transaction.atomic():
            super().save(*args, **kwargs)
            # What other processes keep in memory is told apart by this.
            ApprovedAnswer.objects.filter(pk=self.answer_id).update(updated=timezone.now())
