"""Whether failed payments are collected at all, and from when on: a person decides it, having seen what follows."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from accounts.models import Job, User
from accounts.services.audit import audit
from dunning.models import DunningPolicy
from dunning.queries.collecting import waiting_invoices
from dunning.services.policies import definition_of, the_policy, version_in_force

LOOK_JOB = "dunning.look"


def is_collected(failed_at: datetime) -> bool:
    """Whether a payment that failed then gets a case; one query."""
    since = DunningPolicy.objects.values_list("collecting_since", flat=True).first()
    return since is not None and since <= failed_at


@transaction.atomic
def start_collecting(*, with_waiting: bool, acting_user: User, now: datetime) -> int:
    """Collect what fails from now on; `with_waiting`: also what is open already and not too old for the policy.

    Returns how many invoices are looked at for it. Starting again changes nothing.
    """
    policy = DunningPolicy.objects.select_for_update().get(pk=the_policy().pk)
    if policy.collecting_since is not None:
        return 0
    duration = definition_of(version_in_force()).duration
    policy.collecting_since = now - duration if with_waiting else now
    policy.started_by = acting_user
    policy.save(update_fields=["collecting_since", "started_by"])
    found = waiting_invoices(since=policy.collecting_since, now=now) if with_waiting else []
    for row in found:
        Job.objects.put(LOOK_JOB, row.invoice_id)
    audit("dunning.collecting.started", acting_user=acting_user, target=policy, waiting=len(found))
    return len(found)


@transaction.atomic
def stop_collecting(*, acting_user: User) -> None:
    """No new case opens. Open ones go on; they can be stopped one by one or together."""
    policy = DunningPolicy.objects.select_for_update().get(pk=the_policy().pk)
    if policy.collecting_since is None:
        return
    policy.collecting_since = None
    policy.save(update_fields=["collecting_since"])
    audit("dunning.collecting.stopped", acting_user=acting_user, target=policy)
