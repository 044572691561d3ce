"""Facts that apps above may react to. Sending one writes a Job row per receiver, in the same
transaction as the fact, so nothing is lost between commit and queue."""

from __future__ import annotations

from collections.abc import Iterable

from accounts.models import Job


class DurableSignal:
    """ "It happened", about one object of the running workspace scope."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._receivers: list[str] = []

    def connect(self, job_kind: str) -> None:
        """Run the job kind (registered in `registry.job_kinds`) for each object sent."""
        if job_kind in self._receivers:
            raise ValueError(f"{self.name}: {job_kind!r} is connected twice")
        self._receivers.append(job_kind)

    def send(self, object_id: int) -> None:
        for kind in self._receivers:
            Job.objects.put(kind, object_id)

    def send_all(self, object_ids: Iterable[int]) -> None:
        """`send` for many objects, one statement a receiver."""
        ids = list(object_ids)
        for kind in self._receivers if ids else ():
            Job.objects.put_all(kind, ids)


account_changed = DurableSignal("account_changed")
contact_changed = DurableSignal("contact_changed")
subscription_changed = DurableSignal("subscription_changed")
payment_failed = DurableSignal("payment_failed")
# Billing. Of an invoice: opened, tried, paid, refunded or closed. Of a customer: another card, or a new one behind
# the old. Of a subscription: over; about to end, or not any more.
invoice_changed = DurableSignal("invoice_changed")
payment_method_changed = DurableSignal("payment_method_changed")
subscription_ended = DurableSignal("subscription_ended")
subscription_leaving = DurableSignal("subscription_leaving")
import_finished = DurableSignal("import_finished")
time_zone_changed = DurableSignal("time_zone_changed")
segment_changed = DurableSignal("segment_changed")
