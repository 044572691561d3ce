"""The failed payments of one account, for its page, its timeline and the first page."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, F, Q, Sum
from django.urls import reverse

from accounts.models import Account, PaymentMethod, Workspace
from accounts.registry import TimelineEntry
from cs_platform.lib.formats import money
from dunning.cases.steps import Step, StepKind
from dunning.cases.words import STEP_TITLES, step_words
from dunning.models import DunningCase, DunningStep
from dunning.queries.case_page import ICONS

CASES_READ, CLOSED_SHOWN, METHODS_SHOWN, FOUND = 30, 4, 5, 5
SEARCHED = 5000  # so that a search costs the same in every workspace
# What of a case belongs to the account's story.
TOLD = (
    StepKind.OPENED,
    StepKind.NOTICE_SENT,
    StepKind.CARD_UPDATED,
    StepKind.HANDED_OVER,
    StepKind.RETRY_SUCCEEDED,
    StepKind.PAID_ELSEWHERE,
    StepKind.END_STATE_APPLIED,
    StepKind.CLOSED,
    StepKind.SUBSCRIPTION_CANCELED,
    StepKind.VOIDED,
)


@dataclass(frozen=True, slots=True)
class Found:
    """A line of the search results."""

    label: str
    detail: str
    public_id: str


def account_cases(account: Account, now: datetime) -> dict[str, Any]:
    """Open cases, the last closed ones and the ways to pay; two queries."""
    found = DunningCase.objects.filter(account=account).select_related("invoice")
    rows = found.order_by(F("closed_at").desc(nulls_first=True), "failed_at")[:CASES_READ]
    methods = PaymentMethod.objects.filter(customer__account=account, detached_at__isnull=True)
    return {
        "open": [case for case in rows if case.state == "open"],
        "closed": [case for case in rows if case.state != "open"][:CLOSED_SHOWN],
        "methods": list(methods.order_by("-created_at")[:METHODS_SHOWN]),
    }


def case_entries(account: Account, limit: int) -> list[TimelineEntry]:
    """The steps that matter to the account; one query."""
    rows = DunningStep.objects.filter(case__account=account, kind__in=TOLD).select_related(
        "case", "acting_user"
    )
    return [_entry(row) for row in rows.order_by("-happened_at", "-id")[:limit]]


def _entry(row: DunningStep) -> TimelineEntry:
    step = Step.of_row(kind=row.kind, at=row.happened_at, detail=row.detail)
    icon, tone = ICONS.get(row.kind, ("credit-card", ""))
    return TimelineEntry(
        when=row.happened_at,
        title=str(STEP_TITLES[step.kind]),
        text=step_words(step),
        who=str(row.acting_user) if row.acting_user else "",
        icon=icon,
        tone=tone,
        url=reverse("dunning:case", args=[row.case.public_id]),
    )


def open_cases(workspace: Workspace, now: datetime) -> dict[str, Any]:
    """How many cases are open, what is owed by currency, and how many wait for a person; one query."""
    counts: Counter[str] = Counter()
    amounts: dict[str, int] = {}
    waits = Q(phase__in=("waiting_for_card", "waiting_for_confirmation", "stopped"))
    rows = DunningCase.objects.filter(state="open").values("currency")
    for row in rows.annotate(n=Count("pk"), owed=Sum("amount_minor"), waiting=Count("pk", filter=waits)):
        counts["open"] += row["n"]
        counts["waiting"] += row["waiting"]
        amounts[row["currency"]] = row["owed"]
    owed = [money(amount, currency) for currency, amount in sorted(amounts.items())]
    return {"open": counts["open"], "waiting": counts["waiting"], "owed": " + ".join(owed)}


def find_cases(words: str) -> list[Found]:
    """The latest cases whose invoice's number or id begins with the words: three characters or more, with a digit."""
    words = words.strip()
    if len(words) < 3 or not any(letter.isdigit() for letter in words):
        return []
    named = Q(invoice__number__istartswith=words) | Q(invoice__external_id__istartswith=words)
    latest = DunningCase.objects.order_by("-failed_at").values("pk")[:SEARCHED]
    rows = DunningCase.objects.filter(named, pk__in=latest)
    return [
        Found(
            f"{case.invoice.number or case.invoice.external_id} · {case.account.name}",
            f"{money(case.amount_minor, case.currency)} · {case.get_state_display()}",
            str(case.public_id),
        )
        for case in rows.select_related("invoice", "account").order_by("-id")[:FOUND]
    ]
