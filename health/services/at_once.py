"""What changes an account's risks and its place in the queue within the day, not only in the night."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from accounts.models import Account
from cs_platform.lib.periods import local_day
from cs_platform.lib.shards import Shard
from health.models import NightRun, RunStatus
from health.services.queue import fill_queue
from health.services.risks import find_risks

AT_ONCE_JOB = "health.at_once"


def run(account_id: int) -> None:
    """Handler of the job that follows a fact about an account."""
    refresh_account(account_id, now=timezone.now())


def refresh_account(account_id: int, *, now: datetime) -> None:
    """Evaluate the risk rules of one account anew and let the queue follow; in the running transaction.

    The latest night's snapshot says what changes slowly, metrics marked `at_once` are read from the facts. Before
    the first night nothing is known to compare, and nothing happens. One at a time for an account.
    """
    night = NightRun.objects.filter(status=RunStatus.DONE).order_by("-as_of").first()
    account = Account.objects.select_for_update(no_key=True).filter(pk=account_id).first()
    if night is None or account is None:
        return
    only = Shard(only=(account_id,))
    find_risks(as_of=night.as_of, shard=only, live_on=local_day(now, account.workspace.zone))
    fill_queue(as_of=night.as_of, now=now, shard=only)
