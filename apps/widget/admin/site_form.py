"""The form of a site: its fields, a logo that is a real picture, instructions that are counted."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from apps.widget import instructions, services
from apps.widget.admin.languages import language_choices
from apps.widget.errors import BadLogo, InstructionsTooLong
from apps.widget.logo import MAX_BYTES, check_logo
from apps.widget.models import Site
from apps.widget.models.instructions import MAX_TOKENS


class SiteForm(forms.ModelForm):  # type: ignore[type-arg]
    """A site with what does not stand in its own row."""

    default_language = forms.ChoiceField(
        choices=language_choices,
        initial="en",
        help_text="Taken when your texts do not exist in the visitor's language.",
    )
    privacy_url = forms.URLField(
        label="Privacy page",
        required=False,
        assume_scheme="https",
        help_text="Your privacy page, shown in the chat.",
    )
    logo_file = forms.FileField(
        label="New logo",
        required=False,
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/webp"}),
        help_text=f"PNG, JPEG or WebP, at most {MAX_BYTES // 1024} KB; best 96 x 96 pixels.",
    )
    removes_logo = forms.BooleanField(label="Remove the logo", required=False)
    instructions = forms.CharField(
        required=False,
        max_length=instructions.MAX_CHARS,
        strip=True,
        widget=forms.Textarea(attrs={"rows": 6, "cols": 80, "data-max-tokens": MAX_TOKENS}),
        help_text="What the assistant should know and how it should answer on this site; "
        f"at most {MAX_TOKENS} tokens. Treat it as public: visitors can get it out of the model.",
    )

    class Meta:
        model = Site
        exclude = ("logo",)
        labels = {
            "needs_consent": "Ask for consent",
            "reads_page": "Read the page",
            "retention_days": "Keep chats for days",
            "max_chars": "Longest message",
            "max_inflight": "Answers at once",
        }
        widgets = {"accent": forms.TextInput(attrs={"type": "color"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "instructions" in self.fields:
            self.fields["instructions"].initial = services.instructions_of(self.instance)

    def clean_logo_file(self) -> bytes:
        """The bytes of an uploaded logo, or nothing."""
        file: UploadedFile | None = self.cleaned_data.get("logo_file")
        if not file:
            return b""
        # One byte too many is enough to refuse it.
        data: bytes = file.read(MAX_BYTES + 1)
        try:
            check_logo(data)
        except BadLogo as error:
            raise forms.ValidationError(error.text) from None
        return data

    def clean_instructions(self) -> str:
        """The text as it will be stored."""
        text = instructions.clean_text(self.cleaned_data["instructions"])
        try:
            instructions.checked_count(text)
        except InstructionsTooLong as error:
            raise forms.ValidationError(error.text) from None
        return text
