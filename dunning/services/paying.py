"""The person asks to be charged now, with the method that is there."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from accounts.models import Account, BillingOrder, MadeBy, OrderKind
from dunning.models import DunningCase
from dunning.queries.owed import open_cases
from dunning.services.case_verbs import CaseRefused, pay_now

MOST_A_DAY = 5


class TooMany(RuntimeError):
    """So many charges asked for in a day are no help to anybody's bank."""


@transaction.atomic
def pay_all(*, account: Account, now: datetime, day: object) -> int:
    """Order a charge for every open case of the account; returns how many were ordered. Raises TooMany.

    Pressing twice is one charge: the database takes one open charge of an invoice.
    """
    Account.objects.select_for_update(no_key=True).get(pk=account.pk)
    asked = BillingOrder.objects.filter(
        account=account, kind=OrderKind.PAY, made_by=MadeBy.PERSON, on_day=day
    ).count()
    cases = sorted(open_cases(account.pk), key=lambda case: case.pk)
    if asked >= MOST_A_DAY * max(len(cases), 1):
        raise TooMany
    return sum(_pay(case, now) for case in cases)


def _pay(case: DunningCase, now: datetime) -> bool:
    try:
        pay_now(case=case, now=now)
    except CaseRefused:  # under way, paid, or forbidden: the page says what is true
        return False
    return True
