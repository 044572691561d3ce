"""The card page: whose link opens it, what it says in each state, what a person may ask."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import AccessLink, Account, Invoice, Workspace
from cs_platform.lib.scoping import workspace_scope
from dunning.models import BillQuestion, DunningStep
from dunning.services.pay_links import pay_url
from dunning.services.questions import QUEUE_SOURCE
from health.models import QueueItem
from tests.conftest import Cast
from tests.dunning.notices.world import failed, opened, owing
from tests.dunning.pay.world import path_of

SAME = ("Content-Type", "Cache-Control", "Referrer-Policy", "X-Robots-Tag")


@pytest.fixture
def path(cast: Cast) -> str:
    """The link of the billing contact of an account that no provider charges."""
    with workspace_scope(cast.workspace.pk):
        account, person = owing()
        opened(failed(account, description="Growth, November", number="INV-7"))
        return path_of(pay_url(account=account, contact=person, now=timezone.now()))


def text(path: str, status: int = 200, **options: Any) -> str:
    answer = Client().get(path, **options)
    assert answer.status_code == status
    return answer.content.decode()


def test_it_says_what_is_owed_for_what_and_why(path: str) -> None:
    page = text(path)
    for words in (
        "$100",
        "Growth, November",
        "INV-7",
        "Some details of your card were not accepted",
        "Northwind",
    ):
        assert words in page
    assert "expired_card" not in page and "<title>Your bill · Acme</title>" in page


def test_without_a_provider_it_says_how_to_pay_and_charges_nothing(path: str) -> None:
    page = text(path)
    assert "Please pay as your invoice says" in page and "Pay with another card" not in page
    assert Client().post(f"{path}card/").status_code == 302
    assert Client().post(f"{path}now/").status_code == 302


def test_paid_is_a_thank_you(cast: Cast, path: str) -> None:
    with workspace_scope(cast.workspace.pk):
        Invoice.objects.update(status="paid", paid_at=timezone.now(), amount_paid_minor=10_000)
    assert "Everything is paid" in text(path)


def test_links_that_do_not_hold_look_alike(cast: Cast, path: str) -> None:
    token = path.split("/")[2]
    workspace, secret = token.split(".")
    other = f"{cast.other.public_id.hex}.{secret}"
    broken = [other, f"{workspace}.{'a' * 43}", "nonsense", token[:-1]]
    answers = [Client().get(f"/pay/{one}/") for one in broken]
    for change in ({"expires_at": timezone.now() - timedelta(days=1)}, {"revoked_at": timezone.now()}):
        with workspace_scope(cast.workspace.pk):
            AccessLink.objects.update(expires_at=timezone.now() + timedelta(days=1), revoked_at=None)
            AccessLink.objects.update(**change)
        answers.append(Client().get(path))
    assert {a.status_code for a in answers} == {404}
    assert len({re.sub(rb'(csrf-token" content|nonce)=\S+', b"", a.content) for a in answers}) == 1
    assert len({tuple(a.headers.get(name) for name in SAME) for a in answers}) == 1


def test_a_link_of_another_purpose_or_account_opens_nothing(cast: Cast, path: str) -> None:
    with workspace_scope(cast.workspace.pk):
        stranger, _ = owing("Zenith")
        own = AccessLink.objects.get().object_id
        AccessLink.objects.update(object_id=stranger.pk)
    assert Client().get(path).status_code == 404
    with workspace_scope(cast.workspace.pk):
        AccessLink.objects.update(purpose="accounts.mail_choices", object_id=own)
    assert Client().get(path).status_code == 404


def test_no_place_gets_the_token(path: str) -> None:
    answer = Client().get(path)
    token = path.split("/")[2]
    assert answer["Referrer-Policy"] == "same-origin" and "no-store" in answer["Cache-Control"]
    head = answer.content.decode().split("<main")[0]
    assert token not in head


def test_korean_and_the_switch(cast: Cast, path: str) -> None:
    assert "결제가 처리되지 않았습니다" in text(f"{path}?lang=ko")
    assert 'lang="ko"' in text(path)
    assert "A payment did not go through" in text(f"{path}?lang=xx")


def ask(path: str, words: str) -> Any:
    return Client().post(f"{path}question/", {"text": words})


def test_a_question_reaches_the_csm_once(cast: Cast, path: str) -> None:
    assert ask(path, "").status_code == 422
    for _ in range(2):
        assert ask(path, "Why is it twice as much?").status_code == 302
    with workspace_scope(cast.workspace.pk):
        question = BillQuestion.objects.get()
        assert question.case is not None and question.contact is not None
        assert DunningStep.objects.filter(case=question.case, kind="question_asked").count() == 1
        item = QueueItem.objects.get(source=f"{QUEUE_SOURCE}:{question.pk}")
        assert "twice" not in str(item.evidence)


def test_questions_have_a_limit(path: str) -> None:
    codes = [ask(path, f"Question {n}").status_code for n in range(7)]
    assert codes == [302] * 5 + [429] * 2


def test_posts_want_the_form_token(path: str) -> None:
    strict = Client(enforce_csrf_checks=True)
    for name in ("card/", "now/", "question/"):
        assert strict.post(f"{path}{name}", {"text": "?"}).status_code == 403


def test_days_are_those_of_the_workspace(cast: Cast, path: str) -> None:
    """Half past midnight in Seoul is the day before in London."""
    with workspace_scope(cast.workspace.pk):
        Invoice.objects.update(due_at=datetime(2026, 3, 14, 15, 30, tzinfo=UTC))
    assert "due March 14, 2026" in text(f"{path}?lang=en")
    Workspace.objects.filter(pk=cast.workspace.pk).update(time_zone="Asia/Seoul")
    assert "due March 15, 2026" in text(f"{path}?lang=en")


def test_hostile_and_foreign_names_stay_what_they_are(cast: Cast, path: str) -> None:
    with workspace_scope(cast.workspace.pk):
        account = Account.objects.get(pk=AccessLink.objects.get().object_id)
        for name, shown in (
            ("<b>Bold</b> & Co", "&lt;b&gt;Bold&lt;/b&gt; &amp; Co"),
            ("شركة النور", "\u2068شركة النور\u2069"),
            ("Turn \u202egnirts\u2069 ed", "\u2068Turn gnirts ed\u2069"),
            ("N" * 200, "N" * 200),
        ):
            Account.objects.filter(pk=account.pk).update(name=name)
            assert f"Open for {shown}:" in text(f"{path}?lang=en")


@pytest.mark.parametrize(
    ("currency", "shown"), [("KRW", "₩10,000"), ("JPY", "¥10,000"), ("KWD", "KWD\xa010"), ("EUR", "€100")]
)
def test_amounts_have_the_decimals_of_their_currency(
    cast: Cast, path: str, currency: str, shown: str
) -> None:
    with workspace_scope(cast.workspace.pk):
        Invoice.objects.update(currency=currency)
    assert f"<strong>{shown}</strong>" in text(f"{path}?lang=en")
