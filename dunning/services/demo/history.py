"""Cases of the demo's past: what the simulator tells of each charge, as a case would have seen it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction

from accounts.models import Invoice, MadeBy, Membership, PaymentAttempt, Role
from dunning.cases import steps as s
from dunning.cases.transitions import IllegalStep
from dunning.models import DunningCase, DunningPolicyVersion
from dunning.services.case_steps import begin_book
from dunning.services.cases import payer_of
from dunning.services.demo.story import BRANDS, Past, story
from dunning.services.notice_holdout import is_held_out
from dunning.services.policies import definition_of, publish, the_policy, version_in_force

SOON = timedelta(minutes=3)
HELD_OUT_PERCENT = 20


@transaction.atomic
def write_past_cases(*, now: datetime) -> int:
    """A case for each failed payment that the simulator brought to its end; returns how many."""
    version = _long_ago(now)
    policy, made = definition_of(version), 0
    dressed: list[PaymentAttempt] = []
    invoices = Invoice.objects.filter(attempts__status="failed", provider="")
    known = set(DunningCase.objects.values_list("invoice_id", flat=True))
    rows = invoices.distinct().select_related("account", "subscription").prefetch_related("attempts")
    for number, invoice in enumerate(rows.order_by("due_at", "pk")):
        tries = sorted(invoice.attempts.all(), key=lambda one: one.number)
        if invoice.pk in known or tries[0].status != "failed":
            continue
        past = Past(invoice, *_by_transfer(tries, number), policy, number)
        _dress(past)
        dressed += past.tries
        if past.invoice.status != "open" or past.left_at:  # the others go on today
            made += _write(past, version, now)
    fields = ["brand", "last4", "method_kind", "country", "made_by"]
    PaymentAttempt.objects.bulk_update(dressed, fields, batch_size=500)
    return made


def _long_ago(now: datetime) -> DunningPolicyVersion:
    """The policy as somebody set it before the simulated year: more are held out, so that the test says something."""
    began = now - timedelta(days=400)
    first = version_in_force()
    if first.number > 1:
        return first
    DunningPolicyVersion.objects.filter(pk=first.pk).update(published_at=began, created_at=began)
    definition = {**definition_of(first).to_json(), "holdout_percent": HELD_OUT_PERCENT}
    owner = Membership.objects.filter(role=Role.OWNER, is_active=True).select_related("user").first()
    return publish(
        policy=the_policy(),
        definition=definition,
        note="A fifth without the middle notices, until we know what they bring.",
        acting_user=owner.user if owner else None,
        now=began + timedelta(days=1),
    )


def _by_transfer(
    tries: list[PaymentAttempt], number: int
) -> tuple[Sequence[PaymentAttempt], datetime | None]:
    """Now and then a bill is paid past us: that is no try of a card."""
    if number % 11 != 7 or tries[-1].status != "succeeded":
        return tries, None
    last = tries.pop()
    last.delete()
    return tries, last.attempted_at


def _dress(past: Past) -> None:
    """The simulator knows no cards."""
    for one in past.tries:
        brand, last4 = BRANDS[past.number % len(BRANDS)]
        one.made_by = MadeBy.PROVIDER if one.number == 1 else MadeBy.PLATFORM
        if one.status == "succeeded" and past.has_new_card:
            brand, last4 = past.new_card
            one.made_by = MadeBy.PERSON
        one.brand, one.last4, one.method_kind, one.country = brand, last4, "card", past.country


def _write(past: Past, version: DunningPolicyVersion, now: datetime) -> int:
    """Through the reducer, step by step at the time of each; a story that it refuses is left out."""
    first = past.tries[0]
    at = first.attempted_at + SOON
    with transaction.atomic():
        held_out = is_held_out(version=version, account_id=past.invoice.account_id, now=at)
        case = DunningCase(
            invoice=past.invoice,
            account=past.invoice.account,
            policy_version=version,
            contact=payer_of(past.invoice),
        )
        opened = s.Opened(
            amount_minor=past.invoice.amount_minor,
            currency=past.invoice.currency,
            failed_at=first.attempted_at,
            ends_at=past.ends_at,
            decline_code=first.decline_code,
            decline_class=past.class_of(first),
            is_held_out=held_out,
        )
        book = begin_book(case, opened, at=at)
        try:
            for happened_at, detail in story(past, is_held_out=held_out):
                if happened_at > now or not book.state.is_open:
                    break
                book.record(detail, at=happened_at)
        except IllegalStep:
            return 0
        if book.state.is_open:
            return 0
        book.write()
    return 1
