"""What belongs to a site in rows of its own: texts per language, allowed origins."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin

from apps.widget.admin.languages import language_choices
from apps.widget.errors import BadOrigin
from apps.widget.models import AllowedOrigin, SiteText
from apps.widget.models.site_text import MAX_STARTERS
from apps.widget.origins import MAX_CHARS, parse_entry

MAX_STARTER_CHARS = 120
MAX_ORIGINS = 40


class StartersField(forms.CharField):
    """Questions to begin with, one on each line."""

    widget = forms.Textarea(attrs={"rows": MAX_STARTERS, "cols": 60})

    def prepare_value(self, value: Any) -> Any:
        """The list as lines."""
        return "\n".join(map(str, value)) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        """The lines as a list."""
        lines = (super().to_python(value) or "").splitlines()
        starters = [line.strip() for line in lines if line.strip()]
        if len(starters) > MAX_STARTERS:
            raise forms.ValidationError(f"At most {MAX_STARTERS} questions, one on each line.")
        if any(len(starter) > MAX_STARTER_CHARS for starter in starters):
            raise forms.ValidationError(f"A question has at most {MAX_STARTER_CHARS} characters.")
        return starters

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare line by line."""
        return super().has_changed(self.prepare_value(initial), data)


class SiteTextForm(forms.ModelForm):  # type: ignore[type-arg]
    """Texts of one language."""

    language = forms.ChoiceField(choices=language_choices)
    starters = StartersField(
        required=False,
        label="Questions to begin with",
        help_text=f"One on each line, at most {MAX_STARTERS}.",
    )

    class Meta:
        model = SiteText
        fields = ("language", "greeting", "starters", "launcher_label", "consent", "away")
        help_texts = {
            "greeting": "What is empty here is said in the product's own words.",
        }
        widgets = {
            "launcher_label": forms.TextInput(attrs={"class": "vTextField"}),
            "greeting": forms.Textarea(attrs={"rows": 2, "cols": 60}),
            "consent": forms.Textarea(attrs={"rows": 3, "cols": 60}),
            "away": forms.Textarea(attrs={"rows": 2, "cols": 60}),
        }


class SiteTextInline(admin.StackedInline):  # type: ignore[type-arg]
    """The owner's words, language by language."""

    model = SiteText
    form = SiteTextForm
    extra = 0
    verbose_name = "language"
    verbose_name_plural = "texts"


class AllowedOriginForm(forms.ModelForm):  # type: ignore[type-arg]
    """One allowed origin; a pasted address is cut down to it."""

    origin = forms.CharField(
        max_length=4 * MAX_CHARS,
        label="Scheme, host and port; https://*.example.org for every name below",
        widget=forms.TextInput(
            attrs={"class": "vTextField", "placeholder": "https://www.example.org"}
        ),
    )

    class Meta:
        model = AllowedOrigin
        fields = ("origin",)

    def clean_origin(self) -> str:
        """The entry in its normal form."""
        try:
            return str(parse_entry(self.cleaned_data["origin"]))
        except BadOrigin as error:
            raise forms.ValidationError(error.text) from None


class AllowedOriginInline(admin.TabularInline):  # type: ignore[type-arg]
    """The pages that may carry the chat."""

    model = AllowedOrigin
    form = AllowedOriginForm
    extra = 0
    max_num = MAX_ORIGINS
    verbose_name = "allowed origin"
    verbose_name_plural = "allowed origins"
