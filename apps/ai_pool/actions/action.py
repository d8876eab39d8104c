"""One thing an operator may do: who may, what is asked before, what it does, what undoes it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django import forms
from django.http import HttpResponse

from ai_model.pool.control_result import ControlResult
from ai_model.pool.status import PoolState, PoolStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """The action that takes another one back, with what its form is filled with."""

    label: str
    action: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of an action. ``text`` is shown to the operator, and kept with who it was."""

    text: str
    is_done: bool = True
    undo: Undo | None = None
    download: HttpResponse | None = None
    """Sent in place of the pool's page."""


class Action(ABC):
    """A page of confirmation and what happens on its POST. Has no state: one object for all.

    ``run`` may block for some seconds and raises PoolError or ValueError with a sentence.
    """

    name: ClassVar[str]
    """In the address, and in ``manage.py pool`` where it has a twin."""
    label: ClassVar[str]
    """On the button that leads here."""
    title: ClassVar[str]
    verb: ClassVar[str]
    """On the button that does it."""
    permission: ClassVar[str]
    is_grave: ClassVar[bool] = False
    """Visitors feel it."""
    needs_pool: ClassVar[bool] = True
    twin: ClassVar[str] = ""
    """The command that does the same."""
    form_class: ClassVar[type[forms.Form]] = forms.Form

    def is_offered(self, status: PoolStatus) -> bool:
        """Whether there is a button for it now."""
        return not self.needs_pool or status.state is not PoolState.DOWN

    def make_form(
        self, status: PoolStatus, data: Any = None, initial: Mapping[str, Any] | None = None
    ) -> forms.Form:
        """Return what is asked; ``initial`` comes from the address."""
        return self.form_class(data, initial=dict(initial or {}))

    @abstractmethod
    def effects(self, status: PoolStatus) -> list[str]:
        """Return what it will do, in sentences with the numbers of this moment."""

    @abstractmethod
    def run(self, status: PoolStatus, values: Mapping[str, Any]) -> Outcome:
        """Do it; ``values`` are those of the form, ``status`` is how the pool was before."""


def outcome_of(result: ControlResult, undo: Undo | None = None) -> Outcome:
    """Return what the pool said as an outcome."""
    return Outcome(text=result.text, is_done=result.is_done, undo=undo if result.is_done else None)


def counted(num: int, noun: str) -> str:
    """Return a number with its noun: 1 answer, 2 answers."""
    return f"{num} {noun}{'' if num == 1 else 's'}"
