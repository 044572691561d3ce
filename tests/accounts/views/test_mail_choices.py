"""Unsubscribe and preferences: one click for mail programs, nothing for scanners, the same page for every bad link."""

import re
import time
from datetime import UTC, datetime, timedelta
from statistics import median

import pytest
from django.core import mail as outbox
from django.test import Client
from django.utils import timezone

from accounts.models import AccessLink, Contact, EmailSuppression, OutboundEmail
from accounts.services import mail
from accounts.services.jobs import run_due_jobs
from accounts.services.mail_links import choice_links
from cs_platform.lib.scoping import workspace_scope
from tests.accounts.mails import path_of, queue_letter, register_kind, sent_mail
from tests.builders import make_account, make_contact

ONE_CLICK = {"data": "List-Unsubscribe=One-Click", "content_type": "application/x-www-form-urlencoded"}


@pytest.fixture
def links(cast, monkeypatch, settings, tmp_path):
    """Paths of a newsletter's two links."""
    register_kind(monkeypatch, settings, tmp_path)
    with workspace_scope(cast.workspace.pk):
        made = choice_links(sent_mail(make_contact(make_account())))
    return {name: path_of(url) for name, url in made.items()}


def page(path):
    """What a bad link shows, without what is random in every page."""
    response = Client().post(path)
    assert response.status_code == 404
    return re.sub(rb'(nonce|csrf-token" content)="[^"]*"', b"", response.content)


def stopped(cast):
    with workspace_scope(cast.workspace.pk):
        return list(EmailSuppression.objects.order_by("pk").values_list("reason", "category"))


def test_one_click_unsubscribes_without_cookie_or_form_token(cast, links):
    client = Client(enforce_csrf_checks=True)
    began = time.monotonic()
    response = client.post(links["unsubscribe_url"], **ONE_CLICK)
    assert time.monotonic() - began < 1
    assert (response.status_code, dict(response.cookies)) == (200, {})
    assert stopped(cast) == [("unsubscribed", "")]
    assert client.post(links["unsubscribe_url"], **ONE_CLICK).status_code == 200, "again is as well"
    assert stopped(cast) == [("unsubscribed", "")]


def test_fifty_looks_by_a_scanner_change_nothing(cast, links):
    for path in links.values():
        for _ in range(25):
            assert Client().get(path).status_code == 200
            assert Client().head(path).status_code == 200
    assert stopped(cast) == []


def test_the_page_offers_this_kind_alone_and_everything(cast, links):
    page = Client().get(links["unsubscribe_url"]).content.decode()
    assert "Stop only this kind" in page and "Offers and newsletters" in page
    assert "m•••@northwind.example" in page and "mina@northwind" not in page
    assert "noindex" in page
    Client().post(links["unsubscribe_url"], {"scope": "category"})
    assert stopped(cast) == [("unsubscribed", "offers")]


def test_preferences_are_kept_exactly(cast, links):
    client, path = Client(), links["preferences_url"]
    assert (
        client.post(path, {"categories": ["surveys"], "is_paused": "on", "language": "ko"}).status_code == 302
    )
    with workspace_scope(cast.workspace.pk):
        assert Contact.objects.get().language == "ko"
        until = EmailSuppression.objects.get(reason="paused").until
        assert timedelta(days=29) < until - timezone.now() <= timedelta(days=30)
    page = client.get(path).content.decode()
    assert 'lang="ko"' in page and page.count("checked") == 2, "surveys and the pause"
    client.post(path, {"categories": ["surveys", "tips"], "is_paused": "on", "language": "ko"})
    with workspace_scope(cast.workspace.pk):
        assert EmailSuppression.objects.get(reason="paused").until == until, (
            "saving again does not prolong it"
        )
    client.post(path, {"language": "en"})
    assert stopped(cast) == [("unsubscribed", "")]
    client.post(path, {"categories": ["product_updates", "surveys", "tips", "offers"], "language": "en"})
    assert stopped(cast) == []
    assert client.post(path, {"categories": ["nonsense"]}).status_code == 422


def test_every_bad_link_gets_the_same_page(cast, links):
    path = links["unsubscribe_url"]
    head, token = path.strip("/").split("/")
    workspace, _, secret = token.partition(".")
    flipped = [
        f"{secret[:i]}{'A' if secret[i] != 'A' else 'B'}{secret[i + 1 :]}" for i in range(len(secret) - 1)
    ]
    bad = [f"/{head}/{workspace}.{other}/" for other in flipped]
    bad += [f"/{head}/{cast.other.public_id.hex}.{secret}/", f"/{head}/nonsense/", f"/{head}/x_{token}/"]
    pages = {page(address) for address in bad}
    assert len(pages) == 1
    with workspace_scope(cast.workspace.pk):
        AccessLink.objects.update(expires_at=timezone.now())
    pages.add(page(path))
    with workspace_scope(cast.workspace.pk):
        AccessLink.objects.update(expires_at=timezone.now() + timedelta(days=1), purpose="test.other")
    pages.add(page(path))
    with workspace_scope(cast.workspace.pk):
        AccessLink.objects.update(purpose="accounts.mail_choices", revoked_at=timezone.now())
    pages.add(page(path))
    assert len(pages) == 1
    assert stopped(cast) == []


def test_bad_links_take_the_same_time(cast, links):
    head, token = links["unsubscribe_url"].strip("/").split("/")
    workspace, _, secret = token.partition(".")
    client = Client()
    sorts = {
        "malformed": f"/{head}/nonsense/",
        "unknown workspace": f"/{head}/{'0' * 32}.{secret}/",
        "other workspace": f"/{head}/{cast.other.public_id.hex}.{secret}/",
        "unknown secret": f"/{head}/{workspace}.{'A' * 43}/",
    }
    took = {name: [] for name in sorts}
    for _ in range(15):
        for name, path in sorts.items():
            began = time.perf_counter()
            client.get(path)
            took[name].append(time.perf_counter() - began)
    medians = [median(values) for values in took.values()]
    assert max(medians) - min(medians) < 0.005


def test_the_token_is_kept_as_a_hash_only_and_says_nothing_to_others(cast, links):
    secret = links["unsubscribe_url"].strip("/").partition(".")[2]
    with workspace_scope(cast.workspace.pk):
        [row] = AccessLink.objects.all()
        assert secret not in str(vars(row)) and len(secret) >= 43
        assert secret not in str(list(OutboundEmail.objects.values()))
    response = Client().get(links["unsubscribe_url"])
    assert response["Referrer-Policy"] == "same-origin" and "no-store" in response["Cache-Control"]
    assert secret not in response.content.decode().split("</title>")[0]


def test_every_optional_mail_carries_both_headers_and_a_repetition_the_same_link(
    cast, monkeypatch, settings, tmp_path
):
    kind = register_kind(monkeypatch, settings, tmp_path)
    open_at = datetime(2026, 11, 17, 10, tzinfo=UTC)
    monkeypatch.setattr(mail.timezone, "now", lambda: open_at)
    with workspace_scope(cast.workspace.pk):
        for number, mail_class in enumerate(
            ("other", "relationship_survey", "transactional_survey", "transactional")
        ):
            contact = make_contact(make_account(f"Firm {number}"), f"Person{number} Park")
            queue_letter(contact, mail_class=mail_class)
        first = choice_links(OutboundEmail.objects.first())
        assert choice_links(OutboundEmail.objects.first()) == first
    run_due_jobs(limit=10, kind=mail.SEND_JOB)
    assert kind.name and len(outbox.outbox) == 4
    for sent in outbox.outbox:
        headers = sent.extra_headers
        if sent.to[0].startswith("person3"):
            assert "List-Unsubscribe" not in headers
            continue
        assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        url = headers["List-Unsubscribe"].strip("<>")
        assert url.startswith("http") and url in sent.body
        assert Client().post(path_of(url), **ONE_CLICK).status_code == 200
    assert len(stopped(cast)) == 3
