"""What operators leave in the database: the sentence for visitors, the ends they know of, the runs
of the self-test."""

from __future__ import annotations

from django.db import models

MAX_BANNER_CHARS = 300
MAX_CODE_CHARS = 32


class Banner(models.Model):
    """The sentence that every page and widget shows; one row at most."""

    ONLY = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONLY, editable=False)
    text = models.CharField(max_length=MAX_BANNER_CHARS)
    ends_at = models.DateTimeField(null=True, help_text="Null: until somebody removes it.")
    set_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        verbose_name = "banner"
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="one_banner_at_most"),
        ]

    def __str__(self) -> str:
        return self.text


class KnownEnd(models.Model):
    """A kind of bad end that somebody has looked at; those until then need no attention."""

    code = models.CharField(max_length=MAX_CODE_CHARS, primary_key=True)
    until = models.DateTimeField(help_text="Ends of this kind before this are known.")

    class Meta:
        default_permissions = ()
        verbose_name = "known end"

    def __str__(self) -> str:
        return self.code


class SelfTestRun(models.Model):
    """One run of the fixed question. The text is the model's own, not a visitor's."""

    model = models.CharField(max_length=200, help_text="Name, quantisation and size of the file.")
    at = models.DateTimeField()
    text = models.TextField()
    num_tokens = models.PositiveIntegerField()
    tok_s = models.FloatField(help_text="Tokens per second while writing.")
    ttft_s = models.FloatField(help_text="Seconds until the first text.")
    was_alone = models.BooleanField(help_text="Nothing else was answered meanwhile.")
    is_baseline = models.BooleanField(
        default=False, help_text="Later runs of this model are compared with this one."
    )

    class Meta:
        default_permissions = ()
        ordering = ("-at", "-id")
        verbose_name = "self-test run"
        constraints = [
            models.UniqueConstraint(
                fields=["model"],
                condition=models.Q(is_baseline=True),
                name="one_baseline_per_model",
            )
        ]

    def __str__(self) -> str:
        return f"{self.model} at {self.at:%Y-%m-%d %H:%M} UTC"
