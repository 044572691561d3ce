"""What a changed account or contact sets off: its name and words are current without waiting for the night."""

from __future__ import annotations

from accounts.models import Contact
from accounts.registry import JobKind, job_kinds
from accounts.signals import account_changed, contact_changed, segment_changed
from health.services.states import refresh_accounts


def _account_changed(account_id: int) -> None:
    refresh_accounts([account_id])


def _contact_changed(contact_id: int) -> None:
    accounts = Contact.objects.filter(pk=contact_id).values_list("account_id", flat=True)
    refresh_accounts(list(accounts))


def _segment_changed(segment_id: int) -> None:
    from health.services import segments

    segments.segment_changed(segment_id)


def register() -> None:
    job_kinds.register(JobKind("health.account_changed", _account_changed))
    job_kinds.register(JobKind("health.contact_changed", _contact_changed))
    account_changed.connect("health.account_changed")
    contact_changed.connect("health.contact_changed")
    job_kinds.register(JobKind("health.segment_changed", _segment_changed))
    segment_changed.connect("health.segment_changed")
