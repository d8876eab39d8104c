"""Sites in the admin: every rule of the form, every action, and a trace of each."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from apps.ai_pool import services as pool
from apps.widget import services
from apps.widget.models import AllowedOrigin, Erasure, RefusedOrigin, Site, SiteText
from tests.apps.widget.conftest import SHOP, SignIn
from tests.apps.widget.test_logo import PNG

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def words_are_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "count_tokens", lambda text: len(text.split()), raising=False)


def page(name: str, site: Site) -> str:
    return reverse(f"admin:widget_site_{name}", args=[site.pk])


def form(site: Site | None = None, **changes: Any) -> dict[str, Any]:
    """What a browser sends for the form of a site."""
    origins = list(site.origins.all()) if site else []
    data: dict[str, Any] = {
        "name": "Shop",
        "is_on": "on",
        "assistant_name": "Ada",
        "default_language": "en",
        "accent": "#0f766e",
        "theme": "auto",
        "instructions": "",
        "retention_days": 30,
        "max_chars": 2000,
        "max_inflight": 1,
        "origins-TOTAL_FORMS": len(origins),
        "origins-INITIAL_FORMS": len(origins),
        "texts-TOTAL_FORMS": 0,
        "texts-INITIAL_FORMS": 0,
    }
    for number, row in enumerate(origins):
        data |= {f"origins-{number}-id": row.pk, f"origins-{number}-site": site.pk}
        data[f"origins-{number}-origin"] = row.origin
    return data | changes


def errors_of(answer: Any) -> str:
    """The sentences of a form that was refused; fails for one that was taken."""
    assert answer.status_code == 200, "the form was taken"
    lists = re.findall(r'<ul class="errorlist[^>]*>(.*?)</ul>', answer.content.decode(), re.S)
    return " ".join(re.sub("<[^>]+>", " ", text) for text in lists)


def last_log() -> str:
    entry = LogEntry.objects.latest("pk")
    return entry.get_change_message()


def test_add_a_site(sign_in: SignIn) -> None:
    answer = sign_in().post(
        reverse("admin:widget_site_add"),
        form(
            **{
                "instructions": "We sell shoes.",
                "origins-TOTAL_FORMS": 1,
                "origins-0-origin": "https://Shop.example.org/contact",
                "texts-TOTAL_FORMS": 1,
                "texts-0-language": "de",
                "texts-0-greeting": "Hallo!",
                "texts-0-starters": "Offen?\n\n  Preise? \n",
            }
        ),
        follow=True,
    )
    site = Site.objects.get()
    assert page("install", site) in answer.content.decode()
    assert [row.origin for row in site.origins.all()] == [SHOP]
    assert SiteText.objects.get().starters == ["Offen?", "Preise?"]
    assert services.instructions_of(site) == "We sell shoes."
    assert site.instructions.get().author.username == "staff"
    assert LogEntry.objects.count() == 1


@pytest.mark.parametrize("origin", ["*", "https://*", "https://*.org", "shop.example.org", "null"])
def test_bad_origins_are_refused_with_a_sentence(site: Site, sign_in: SignIn, origin: str) -> None:
    changes = {"origins-TOTAL_FORMS": 2, "origins-1-origin": origin, "origins-1-site": site.pk}
    answer = sign_in().post(page("change", site), form(site, **changes))
    assert errors_of(answer).strip()
    assert AllowedOrigin.objects.count() == 1


def test_the_same_origin_twice(site: Site, sign_in: SignIn) -> None:
    changes = {
        "origins-TOTAL_FORMS": 2,
        "origins-1-origin": SHOP + ":443/x",
        "origins-1-site": site.pk,
    }
    answer = sign_in().post(page("change", site), form(site, **changes))
    assert "duplicate" in answer.content.decode()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"accent": "red"}, "A colour such as"),
        ({"accent": "#0f766e;}"}, "colour|7 characters"),
        ({"retention_days": 0}, "greater than or equal to 1"),
        ({"max_chars": 5}, "greater than or equal to 100"),
        ({"privacy_url": "javascript:alert(1)"}, "valid URL"),
        ({"default_language": "xx"}, "valid choice"),
        ({"instructions": "word " * 201}, "201 tokens"),
    ],
)
def test_bad_fields(site: Site, sign_in: SignIn, changes: dict[str, Any], words: str) -> None:
    answer = sign_in().post(page("change", site), form(site, **changes))
    assert re.search(words, errors_of(answer)), errors_of(answer)


def test_starters_have_limits(site: Site, sign_in: SignIn) -> None:
    client = sign_in()
    base = {"texts-TOTAL_FORMS": 1, "texts-0-language": "en", "texts-0-site": site.pk}
    five = form(site, **base, **{"texts-0-starters": "1\n2\n3\n4\n5"})
    assert "At most 4" in errors_of(client.post(page("change", site), five))
    long = form(site, **base, **{"texts-0-starters": "x" * 121})
    assert "120 characters" in errors_of(client.post(page("change", site), long))


def test_starters_come_back_as_lines(site: Site, sign_in: SignIn) -> None:
    SiteText.objects.create(site=site, language="en", starters=["One?", "Two?"])
    assert "One?\nTwo?</textarea>" in sign_in().get(page("change", site)).content.decode()


def test_logo(site: Site, sign_in: SignIn) -> None:
    client, address = sign_in(), page("change", site)

    def upload(data: bytes, name: str = "logo.png") -> Any:
        file = SimpleUploadedFile(name, data, content_type="image/png")
        return client.post(address, form(site, logo_file=file))

    assert "PNG, JPEG or WebP" in errors_of(upload(b"<svg onload=alert(1)>"))
    assert "32 KB" in errors_of(upload(PNG.ljust(40_000, b"\0")))
    assert upload(PNG).status_code == 302
    assert bytes(Site.objects.get().logo) == PNG
    assert f"/w/sites/{site.key}/logo?v=" in client.get(address).content.decode()
    assert client.post(address, form(site)).status_code == 302
    assert bytes(Site.objects.get().logo) == PNG, "no file is no change"
    assert client.post(address, form(site, removes_logo="on")).status_code == 302
    assert bytes(Site.objects.get().logo) == b""


def test_one_click_allows_a_refused_origin(site: Site, sign_in: SignIn) -> None:
    RefusedOrigin.objects.create(site=site, origin="https://new.example.org", num_tries=3)
    client = sign_in()
    assert "https://new.example.org" in client.get(page("change", site)).content.decode()
    answer = client.post(page("allow", site), {"origin": "https://new.example.org"})
    assert answer.status_code == 302
    assert site.origins.filter(origin="https://new.example.org").exists()
    assert not RefusedOrigin.objects.exists()
    assert "https://new.example.org" in last_log()


@pytest.mark.parametrize("origin", ["null", "https://never-asked.example", "*", ""])
def test_only_what_was_refused_and_can_be_allowed(site: Site, sign_in: SignIn, origin: str) -> None:
    RefusedOrigin.objects.create(site=site, origin="null")
    client = sign_in()
    client.post(page("allow", site), {"origin": origin})
    assert [row.origin for row in site.origins.all()] == [SHOP]
    assert not LogEntry.objects.exists()
    text = client.get(page("change", site)).content.decode()
    assert "opened from a file" in text or "was opened" in text
    assert 'value="null"' not in text, "no button for it"


def test_adding_an_origin_by_hand_takes_it_off_the_list(site: Site, sign_in: SignIn) -> None:
    RefusedOrigin.objects.create(site=site, origin="https://a.example.com")
    RefusedOrigin.objects.create(site=site, origin="https://evil.example")
    changes = {"origins-TOTAL_FORMS": 2, "origins-1-origin": "https://*.example.com"}
    sign_in().post(page("change", site), form(site, **changes, **{"origins-1-site": site.pk}))
    assert [row.origin for row in RefusedOrigin.objects.all()] == ["https://evil.example"]


def test_the_list_of_refused_origins_can_be_cleared(site: Site, sign_in: SignIn) -> None:
    RefusedOrigin.objects.create(site=site, origin="https://evil.example")
    sign_in().post(page("forget", site))
    assert not RefusedOrigin.objects.exists() and "1 refused" in last_log()


def test_versions_and_restore(site: Site, sign_in: SignIn) -> None:
    first = services.set_instructions(site, "Be brief.")
    services.set_instructions(site, "Be long.")
    client = sign_in()
    text = client.get(page("instructions", site)).content.decode()
    assert "Be brief." in text and "Be long." in text and "friendly assistant" in text
    assert client.post(page("instructions", site), {"version": first.pk}).status_code == 302
    assert services.instructions_of(site) == "Be brief."
    assert "Restored" in last_log()
    for version in ("", "x", "999999", "9" * 40):
        assert client.post(page("instructions", site), {"version": version}).status_code == 404


def test_saving_without_a_change_makes_no_version(site: Site, sign_in: SignIn) -> None:
    services.set_instructions(site, "Be brief.")
    sign_in().post(page("change", site), form(site, instructions="Be brief."))
    assert site.instructions.count() == 1


def test_count(site: Site, sign_in: SignIn) -> None:
    client = sign_in()
    address = reverse("admin:widget_site_count")
    answer = client.post(address, {"text": "one two three"}).json()
    assert answer["number"] == 3 and answer["is_exact"] is True
    assert answer["prompt"].endswith("one two three")
    assert client.get(address).status_code == 405


def test_the_secret_is_shown_once(site: Site, sign_in: SignIn) -> None:
    client = sign_in()
    before = site.identity_secret
    for address in (page("identity", site), page("change", site), page("install", site)):
        assert before not in client.get(address).content.decode()
    unconfirmed = client.post(page("identity", site))
    assert "confirm" in unconfirmed.content.decode()
    assert Site.objects.get().identity_secret == before and not LogEntry.objects.exists()
    answer = client.post(page("identity", site), {"is_confirmed": "1"})
    after = Site.objects.get().identity_secret
    assert after != before and after in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert after not in client.get(page("identity", site)).content.decode()
    assert "secret" in last_log() and after not in last_log()


def test_install(site: Site, sign_in: SignIn) -> None:
    text = sign_in().get(page("install", site)).content.decode()
    tag = f"src=&quot;http://testserver/w/v1.js&quot; data-site=&quot;{site.key}&quot; defer"
    assert tag in text and "sha384-" in text and SHOP in text
    assert "script-src http://testserver;" in text
    assert "connect-src http://testserver ws://testserver;" in text
    assert text.count("data-copy=") == 4


def test_names_are_text(site: Site, sign_in: SignIn) -> None:
    Site.objects.update(name="<script>alert(1)</script>", assistant_name="<b>x</b>")
    client = sign_in()
    for name in ("change", "install", "instructions", "identity"):
        assert "<script>alert" not in client.get(page(name, site)).content.decode()


def test_no_page_needs_inline_code(site: Site, sign_in: SignIn) -> None:
    RefusedOrigin.objects.create(site=site, origin="https://evil.example")
    client = sign_in()
    for name in ("change", "install", "instructions", "identity"):
        text = client.get(page(name, site)).content.decode()
        assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)[^>]*>", text), name
        assert not re.search(r"\son[a-z]+=|\sstyle=", text), name


def test_list(site: Site, sign_in: SignIn) -> None:
    RefusedOrigin.objects.create(site=site, origin="https://evil.example")
    text = sign_in().get(reverse("admin:widget_site_changelist")).content.decode()
    assert site.key in text and "#refused-origins" in text and page("install", site) in text


def test_advice_stands_on_the_page(site: Site, sign_in: SignIn) -> None:
    site.origins.all().delete()
    assert "opens on no page" in sign_in().get(page("change", site)).content.decode()


def test_who_may_only_look_changes_nothing(site: Site, sign_in: SignIn) -> None:
    RefusedOrigin.objects.create(site=site, origin="https://new.example.org")
    version = services.set_instructions(site, "Be brief.")
    services.set_instructions(site, "")
    secret = site.identity_secret
    client = sign_in("view_site")
    for name in ("change", "install", "instructions"):
        answer = client.get(page(name, site))
        assert answer.status_code == 200, name
        assert "Restore" not in answer.content.decode()
        assert "Allow this origin" not in answer.content.decode()
    assert client.get(page("identity", site)).status_code == 403
    for name, data in (
        ("allow", {"origin": "https://new.example.org"}),
        ("forget", {}),
        ("identity", {"is_confirmed": "1"}),
        ("instructions", {"version": version.pk}),
        ("change", form(site, name="Other")),
    ):
        assert client.post(page(name, site), data).status_code == 403, name
    assert client.post(reverse("admin:widget_site_count"), {"text": "x"}).status_code == 403
    assert Site.objects.get().identity_secret == secret
    assert services.instructions_of(site) == ""
    assert not LogEntry.objects.exists()


def test_without_permission_nothing_is_seen(site: Site, sign_in: SignIn) -> None:
    staff = sign_in("view_conversation")
    for client, status in ((staff, 403), (Client(), 302)):
        for name in ("change", "install", "instructions", "identity"):
            assert client.get(page(name, site)).status_code == status, name


def test_actions_need_the_csrf_token(site: Site, sign_in: SignIn) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = sign_in().cookies
    RefusedOrigin.objects.create(site=site, origin="https://new.example.org")
    for name in ("allow", "forget", "identity", "instructions"):
        data = {"origin": "https://new.example.org", "is_confirmed": "1"}
        assert strict.post(page(name, site), data).status_code == 403, name
    assert RefusedOrigin.objects.exists()


def test_actions_are_no_links(site: Site, sign_in: SignIn) -> None:
    client = sign_in()
    for name in ("allow", "forget"):
        assert client.get(page(name, site)).status_code == 405


def test_missing_sites_are_not_found(sign_in: SignIn, db: None) -> None:
    client = sign_in()
    for name in ("install", "instructions", "identity"):
        address = reverse(f"admin:widget_site_{name}", args=[4711])
        assert client.get(address).status_code == 404, name


def test_proof_of_erasure_can_not_be_changed(site: Site, sign_in: SignIn) -> None:
    row = Erasure.objects.create(site=site, num_conversations=1, num_messages=2)
    client = sign_in()
    assert client.get(reverse("admin:widget_erasure_changelist")).status_code == 200
    change = reverse("admin:widget_erasure_change", args=[row.pk])
    assert client.post(change, {"num_messages": 0}).status_code == 403
    delete = reverse("admin:widget_erasure_delete", args=[row.pk])
    assert client.post(delete, {"post": "yes"}).status_code == 403
    assert client.get(reverse("admin:widget_erasure_add")).status_code == 403
