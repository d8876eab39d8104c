"""Only named fields of what a user may view reach the page, as short plain texts."""

from __future__ import annotations

import datetime
import decimal
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, Permission, User
from django.db import models
from django.test.utils import isolate_apps

from apps.widget.models import AllowedOrigin, Site
from apps.widget.page_context import MAX_FIELDS, page_context


class Permissive:
    """A user who may do everything, or nothing."""

    def __init__(self, *permissions: str) -> None:
        self.permissions = permissions

    def has_perm(self, name: str) -> bool:
        return name in self.permissions


SELLER = Permissive("widget.view_product")


# Apart, so that nobody looks for its table.
with isolate_apps("apps.widget"):

    class Product(models.Model):
        """Never stored: only its fields matter."""

        class Colour(models.TextChoices):
            RED = "r", "Bright red"

        title = models.CharField("product name", max_length=100)
        price = models.DecimalField(max_digits=9, decimal_places=2)
        colour = models.CharField(max_length=1, choices=Colour)
        is_new = models.BooleanField()
        since = models.DateField()
        notes = models.TextField()
        secret = models.CharField(max_length=10)
        picture = models.FileField()

        chat_fields: Any = ("title", "price", "colour", "is_new", "since", "stock", "notes")

        class Meta:
            app_label = "widget"

        @property
        def site(self) -> Site:
            return Site(name="Shop")

        @property
        def stock(self) -> int:
            return 7

        def refund(self) -> str:
            raise AssertionError("methods are never called")


@pytest.fixture
def product() -> Product:
    return Product(
        title="Lamp",
        price=decimal.Decimal("9.50"),
        colour="r",
        is_new=True,
        since=datetime.date(2026, 1, 2),
        secret="4711",
    )


def test_named_fields_by_their_labels(product: Product) -> None:
    assert page_context(product, SELLER) == {
        "Product name": "Lamp",
        "Price": "9.50",
        "Colour": "Bright red",
        "Is new": "yes",
        "Since": "2026-01-02",
        "Stock": "7",
    }


def test_nothing_else_is_told(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("site", "picture", "refund", "__class__", "_state", "missing", "objects", "pk.x", "")
    monkeypatch.setattr(Product, "chat_fields", names)
    assert page_context(product, SELLER) == {}


@pytest.mark.parametrize("thing", [None, "text", 5, {"chat_fields": ["x"]}, object(), Product])
def test_only_models_are_read(thing: Any) -> None:
    assert page_context(thing, SELLER) == {}


def test_a_model_that_names_nothing_tells_nothing() -> None:
    assert page_context(Site(name="Shop"), Permissive("widget.view_site")) == {}


def test_one_name_that_was_meant_as_a_list(product: Product, monkeypatch) -> None:
    monkeypatch.setattr(Product, "chat_fields", "title")
    assert page_context(product, SELLER) == {}


@pytest.mark.parametrize("user", [None, AnonymousUser(), Permissive("widget.change_product")])
def test_who_may_not_view_it_is_told_nothing(product: Product, user: Any) -> None:
    assert page_context(product, user) == {}


@pytest.mark.parametrize(
    ("allowed", "is_told"), [(True, True), (False, False), (None, False), ("no", False)]
)
def test_the_objects_own_rule_decides(
    product: Product, monkeypatch: pytest.MonkeyPatch, allowed: Any, is_told: bool
) -> None:
    asked = []
    rule = lambda self, user: (asked.append(user), allowed)[1]  # noqa: E731
    monkeypatch.setattr(Product, "can_chat_view", rule, raising=False)
    user = AnonymousUser()
    assert bool(page_context(product, user)) is is_told
    assert asked == [user]
    assert bool(page_context(product, SELLER)) is is_told, "the permission no longer counts"


@pytest.mark.django_db
def test_djangos_own_permission(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AllowedOrigin, "chat_fields", ("origin",), raising=False)
    row = AllowedOrigin(origin="https://shop.example.org")
    user = User.objects.create_user("reader")
    assert page_context(row, user) == {}
    user.user_permissions.add(Permission.objects.get(codename="view_allowedorigin"))
    assert page_context(row, User.objects.get()) == {"Origin": "https://shop.example.org"}


def test_values_are_short_and_visible(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    product.title = "a\x00b\u202ec\ud800d\n\n e\u200bf\u2028g"
    product.notes = "x" * 1_000_000
    told = page_context(product, SELLER)
    assert told["Product name"] == "a b c d e f g"
    assert len(told["Notes"]) == 200 and told["Notes"].endswith("\u2026")
    # Many fields: the first ten.
    names = [f"field_{number}" for number in range(50)]
    monkeypatch.setattr(Product, "chat_fields", names)
    for name in names:
        monkeypatch.setattr(Product, name, "v" * 500, raising=False)
    told = page_context(product, SELLER)
    assert list(told) == [f"Field {number}" for number in range(MAX_FIELDS)]
