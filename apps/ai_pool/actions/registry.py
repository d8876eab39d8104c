"""All actions, in the order of their buttons."""

from __future__ import annotations

from apps.ai_pool.actions.action import Action
from apps.ai_pool.actions.announcing import BannerAction, RemoveBannerAction
from apps.ai_pool.actions.cancel import CancelAction
from apps.ai_pool.actions.emergency import EmergencyAction
from apps.ai_pool.actions.exporting import ExportAction
from apps.ai_pool.actions.front import FrontAction
from apps.ai_pool.actions.intake import DrainAction, PauseAction, ResumeAction
from apps.ai_pool.actions.knowing import ForgetKnownAction, KnownAction
from apps.ai_pool.actions.limits import LimitAction, UnlimitAction
from apps.ai_pool.actions.model import SwitchModelAction
from apps.ai_pool.actions.orphans import OrphansAction
from apps.ai_pool.actions.restart import RestartAction
from apps.ai_pool.actions.retry import RetryAction
from apps.ai_pool.actions.size import ResizeAction
from apps.ai_pool.actions.testing import SelfTestAction

ACTIONS: tuple[Action, ...] = (
    ResumeAction(),
    PauseAction(),
    DrainAction(),
    CancelAction(),
    OrphansAction(),
    FrontAction(),
    LimitAction(),
    UnlimitAction(),
    EmergencyAction(),
    ResizeAction(),
    SwitchModelAction(),
    RestartAction(),
    SelfTestAction(),
    BannerAction(),
    RemoveBannerAction(),
    RetryAction(),
    KnownAction(),
    ForgetKnownAction(),
    ExportAction(),
)
APP = "ai_pool"
VIEW_PERMISSION = f"{APP}.view_poolstatus"


def url_name(action: Action | str) -> str:
    """Return the name of an action's address."""
    name = action if isinstance(action, str) else action.name
    return f"admin:{APP}_action_{name}"
