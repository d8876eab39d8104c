"""One setting: how the text of the environment becomes a checked value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

MAX_SECRET_CHARS = 16_384
TRUE = {"1", "true", "yes", "on"}
WRONG_VALUE_ID = "corral.E030"
"""Id of a value that cannot be; said before any system check can run."""
FALSE = {"0", "false", "no", "off"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting; ``read`` turns the text of the environment into a checked value."""

    name: str
    type: type
    """str, int, float, bool, list (separated by commas) or Path."""
    default: Any
    help: str
    alias: str = ""
    """Another environment variable that is read when ``name`` is not set."""
    at_least: float | None = None
    at_most: float | None = None
    choices: tuple[str, ...] = ()
    is_secret: bool = False
    """Its value may stand in a file that ``<name>_FILE`` names, and belongs in no log."""

    def read(self, environment: Mapping[str, str]) -> Any:
        """Return the value in ``environment`` or the default; raises ImproperlyConfigured."""
        for name in (self.name, self.alias):
            if name and environment.get(name, "").strip():
                return self._parse(name, environment[name].strip())
        path = self.file(environment)
        if path is not None and (text := self._read_file(path)):
            return self._parse(f"{self.name}_FILE", text)
        return list(self.default) if self.type is list else self.default

    def file(self, environment: Mapping[str, str]) -> Path | None:
        """Return the file that holds the value, if the environment names one."""
        text = environment.get(f"{self.name}_FILE", "").strip() if self.is_secret else ""
        return Path(text) if text else None

    def _read_file(self, path: Path) -> str:
        try:
            with path.open(encoding="utf-8") as file:
                text = file.read(MAX_SECRET_CHARS + 1).strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is no text"
            raise ImproperlyConfigured(
                f"{self.name}_FILE names {path}, which cannot be read: {reason}."
            ) from None
        if len(text) > MAX_SECRET_CHARS:
            raise ImproperlyConfigured(
                f"{self.name}_FILE names {path}, which holds more than {MAX_SECRET_CHARS} "
                "characters and is probably the wrong file."
            )
        return text

    def _parse(self, name: str, text: str) -> Any:
        if self.type is bool:
            if text.lower() not in TRUE | FALSE:
                raise ImproperlyConfigured(f"{name} must be true or false, not {text!r}.")
            return text.lower() in TRUE
        if self.type in (int, float):
            return self._parse_number(name, text)
        if self.type is list:
            return [part.strip() for part in text.split(",") if part.strip()]
        if self.choices and text not in self.choices:
            known = ", ".join(self.choices)
            raise ImproperlyConfigured(f"{name} must be one of {known}, not {text!r}.")
        return Path(text) if self.type is Path else text

    def _parse_number(self, name: str, text: str) -> int | float:
        try:
            value: int | float = int(text) if self.type is int else float(text)
        except ValueError:
            kind = "a whole number" if self.type is int else "a number"
            raise ImproperlyConfigured(f"{name} must be {kind}, not {text!r}.") from None
        # Written so that NaN fails as well.
        if self.at_least is not None and not value >= self.at_least:
            raise ImproperlyConfigured(f"{name} must be at least {self.at_least:g}, not {text}.")
        if self.at_most is not None and not value <= self.at_most:
            raise ImproperlyConfigured(f"{name} must be at most {self.at_most:g}, not {text}.")
        return value

    @property
    def can_be_wrong(self) -> bool:
        """Whether there is a text that ``read`` refuses."""
        return self.type in (bool, int, float) or bool(self.choices)

    @property
    def default_text(self) -> str:
        """The default as it would be written in ``.env``."""
        if isinstance(self.default, bool):
            return str(self.default).lower()
        if isinstance(self.default, (list, tuple)):
            return ",".join(self.default)
        return "" if self.default is None else str(self.default)


def number(
    name: str, default: float, help: str, *, least: float, most: float, alias: str = ""
) -> Setting:
    """Return a setting that is a number from ``least`` to ``most``, whole if its default is."""
    return Setting(
        name=name,
        type=type(default),
        default=default,
        help=help,
        at_least=least,
        at_most=most,
        alias=alias,
    )
