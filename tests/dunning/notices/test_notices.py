"""Notices: who is told what and when, who is left out, and that nobody is told of what is settled."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core import mail as outbox
from django.utils import translation

from accounts.models import BillingOrder, ContactHold, Invoice, Job, OutboundEmail
from cs_platform.lib.scoping import workspace_scope
from dunning.cases.steps import StepKind
from dunning.models import DunningCase, DunningStep
from dunning.notice_texts import READY
from dunning.queries import owed
from dunning.services.case_verbs import resume, stop
from dunning.services.cases import look_at_invoice
from dunning.services.notices import follow
from health.models import QueueItem, SequenceRun
from tests.builders import make_account
from tests.dunning.notices.world import (
    NOW,
    failed,
    let_days_pass,
    opened,
    owing,
    positions,
    send_mails,
)

ALL = ["first", "middle", "middle", "last"]
FORBIDDEN = ("stolen", "lost", "fraud", "pickup", "도난", "분실", "사기")


def test_four_notices_from_the_refusal_to_three_days_before_the_end(scope):
    account, person = owing()
    case = opened(failed(account))
    assert case.notice_run is not None
    assert let_days_pass(case, 24) == ALL[:3]
    assert let_days_pass(case, 1, since=NOW + timedelta(days=25)) == ALL
    assert OutboundEmail.objects.filter(kind="dunning.notice", contact=person).count() == 4
    last = OutboundEmail.objects.filter(kind="dunning.notice").latest("pk")
    assert last.context["extra"]["payment.end_date"] == "Dec. 18, 2026"
    assert (last.mail_class, last.motion) == ("transactional", "dunning")


def test_soft_refusals_wait_for_the_silent_retries(scope):
    account, _ = owing()
    case = opened(failed(account, code="insufficient_funds"))
    assert case.notice_run is None and case.notices_at == NOW + timedelta(days=3)


def test_those_held_out_get_the_first_and_the_last_one(scope):
    account, _ = owing()
    case = opened(failed(account), is_held_out=True)
    assert let_days_pass(case, 26) == ["first", "last"]


def test_a_short_policy_hurries_the_last_one(scope):
    account, _ = owing()
    case = opened(failed(account))
    DunningCase.objects.filter(pk=case.pk).update(ends_at=NOW + timedelta(days=7))
    assert let_days_pass(case, 4) == ["first", "last"]


def test_nothing_leaves_after_the_payment(scope):
    account, _ = owing()
    invoice = failed(account)
    case = opened(invoice)
    let_days_pass(case, 0)
    Invoice.objects.filter(pk=invoice.pk).update(status="paid", paid_at=NOW, amount_paid_minor=10_000)
    look_at_invoice(invoice.pk, now=NOW)
    send_mails()
    assert outbox.outbox == []
    row = OutboundEmail.objects.get(kind="dunning.notice")
    assert (row.status, row.held_reason) == ("suppressed", "not_wanted")
    follow(case.pk, now=NOW)
    run = SequenceRun.objects.get()
    assert (run.state, run.end_reason) == ("exited", "settled")
    assert not ContactHold.objects.filter(released_at__isnull=True).exists()


def test_a_notice_waits_for_the_outcome_of_a_charge(scope):
    account, _ = owing()
    case = opened(failed(account))
    let_days_pass(case, 0)
    order = BillingOrder.objects.create(
        kind="pay",
        state="sent",
        account=account,
        invoice=case.invoice,
        key="x:1",
        amount_minor=1,
        on_day=NOW,
        planned_at=NOW,
        sent_at=NOW,
    )
    send_mails()
    assert outbox.outbox == []
    BillingOrder.objects.filter(pk=order.pk).update(state="failed")
    send_mails()
    assert len(outbox.outbox) == 1


def test_sending_is_a_step_of_the_case(scope):
    account, person = owing()
    case = opened(failed(account))
    let_days_pass(case, 0)
    send_mails()
    step = DunningStep.objects.get(case=case, kind=StepKind.NOTICE_SENT)
    assert step.detail["name"] == "first" and step.detail["number"] == 1
    message = outbox.outbox[0]
    assert message.to == [person.email] and "$100" in message.body and "/pay/" in message.body


def test_a_stopped_case_holds_its_notices(scope):
    account, _ = owing()
    case = opened(failed(account))
    let_days_pass(case, 0)
    stop(case=case, acting_user=scope.ada, now=NOW)
    send_mails()
    assert outbox.outbox == [] and let_days_pass(case, 10) == ["first"]
    resume(case=case, acting_user=scope.ada, now=NOW + timedelta(days=10))
    assert let_days_pass(case, 1, since=NOW + timedelta(days=10))[:2] == ["first", "middle"]


def test_two_invoices_make_one_series(scope):
    account, _ = owing()
    first = opened(failed(account, 1))
    let_days_pass(first, 0)
    second = opened(failed(account, 2, at=NOW + timedelta(hours=1)), now=NOW + timedelta(hours=1))
    assert second.notice_run_id == first.notice_run_id
    assert positions() == ["first"]
    assert let_days_pass(first, 5) == ["first", "middle"]
    extra = OutboundEmail.objects.latest("pk").context["extra"]
    assert extra["payment.amount"] == "$200"


def test_a_later_second_invoice_is_told_at_once(scope):
    account, _ = owing()
    first = opened(failed(account, 1))
    let_days_pass(first, 5)
    opened(failed(account, 2, at=NOW + timedelta(days=5)), now=NOW + timedelta(days=6, hours=2))
    assert positions() == ["first", "middle", "first"]


def test_nobody_to_write_to_is_said_and_put_before_a_csm(scope):
    account = make_account()
    case = opened(failed(account))
    assert let_days_pass(case, 0) == []
    item = QueueItem.objects.get(source=f"dunning:{case.pk}")
    assert item.evidence["reason"] == "nobody"


def test_thanks_go_to_who_was_told(scope):
    account, _ = owing()
    invoice = failed(account)
    case = opened(invoice)
    let_days_pass(case, 0)
    send_mails()
    Invoice.objects.filter(pk=invoice.pk).update(status="paid", paid_at=NOW, amount_paid_minor=10_000)
    look_at_invoice(invoice.pk, now=NOW)
    for _ in range(2):
        follow(case.pk, now=NOW)
    send_mails()
    assert [m.subject.split(":")[0] for m in outbox.outbox][1:] == ["Received, thank you"]


def test_korean_people_read_korean(scope):
    account, _ = owing(language="ko")
    case = opened(failed(account))
    let_days_pass(case, 0)
    send_mails()
    message = outbox.outbox[0]
    assert message.subject == "결제가 처리되지 않았습니다: $100"
    assert "Mina Park님" in message.body and "청구서" in message.body


@pytest.mark.parametrize("ready", READY, ids=lambda ready: ready.key)
def test_words_are_neutral_and_in_both_languages(ready):
    assert set(ready.words) == {"en", "ko"}
    for subject, body in ready.words.values():
        assert not [word for word in FORBIDDEN if word in f"{subject} {body}".lower()]


def test_reasons_never_name_a_cause_we_cannot_know(scope):
    from dunning.policy.classes import CUSTOMER_WORDS

    for language in ("en", "ko"):
        with translation.override(language):
            words = " ".join(str(text) for text in CUSTOMER_WORDS.values()).lower()
            assert not [word for word in FORBIDDEN if word in words]


def test_the_draw_holds_some_out(cast):
    with workspace_scope(cast.workspace.pk):
        cases = [opened(failed(owing(f"Company {n}")[0]), is_held_out=None) for n in range(20)]
        held = sum(case.is_held_out for case in cases)
    assert 1 <= held <= 4
    assert Job.objects.filter(kind="dunning.notices").count() == 20


def test_the_end_is_the_workspaces_day_and_nobody_is_given_the_whole_of_it(scope):
    """Half past midnight in Seoul: the day begins, and is no time left to pay."""
    account, _person = owing()
    case = opened(failed(account))
    case.ends_at = datetime(2026, 3, 14, 15, 30, tzinfo=UTC)
    assert owed.notice_values([case], ZoneInfo("Asia/Seoul"))["payment.end_date"] == "March 15, 2026"
    for text in READY:
        for words in text.words.values():
            assert not re.search(r"by \{\{ payment.end_date|end_date }}(?:\*\*)?까지", " ".join(words))
