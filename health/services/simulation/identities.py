"""From the positions in a simulated business to the ids of its rows in the workspace."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
from django.db.models import Model
from numpy.typing import NDArray

from accounts.models import Account, BillingCustomer, Contact, Membership, Role, Subscription
from health.simulation import Business

# The property of who pays that names their subscription as the business does, once a payment provider tells of it.
TOLD_AS = "simulated_as"


@dataclass(frozen=True)
class Target:
    """A simulated business and the workspace (of the running scope) that it is written into.

    `told_days` is how many days of it are there already; what has no key of its own is written from then on.
    """

    business: Business
    told_days: int = 0

    def is_told(self, at: datetime) -> bool:
        """Whether this moment lies in the days that are there already."""
        return self.told_days > 0 and at < self.business.spec.moment(self.told_days)

    @cached_property
    def account_ids(self) -> NDArray[np.int64]:
        """Row id per account of the business."""
        return _ids(Account, (item.external_id for item in self.business.accounts))

    @cached_property
    def contact_ids(self) -> NDArray[np.int64]:
        """Row id per contact of the business."""
        return _ids(Contact, (item.external_id for item in self.business.contacts))

    @cached_property
    def subscription_ids(self) -> NDArray[np.int64]:
        """Row id per subscription of the business."""
        wanted = (item.external_id for item in self.business.subscriptions)
        return _ids(Subscription, wanted, self.handed_on)

    @cached_property
    def handed_on(self) -> dict[str, int]:
        """Subscriptions that a payment provider tells of by now: their name here and row id. They stay as they are."""
        payers = BillingCustomer.objects.filter(properties__has_key=TOLD_AS).values_list(
            "properties", flat=True
        )
        names = {told["subscription"]: told[TOLD_AS] for told in payers}
        rows = Subscription.objects.filter(external_id__in=list(names)).values_list("external_id", "pk")
        return {names[external_id]: pk for external_id, pk in rows}

    @cached_property
    def csms(self) -> list[Membership]:
        """The CSMs of the workspace in order of joining; the business counts them from 0."""
        return csms()

    def csm(self, number: int | None) -> Membership | None:
        """The workspace's CSM for a CSM number of the business, None where nobody is assigned."""
        return None if number is None or not self.csms else self.csms[number % len(self.csms)]


def csms() -> list[Membership]:
    """Active members of the running workspace with the role CSM, in order of joining."""
    members = Membership.objects.filter(role=Role.CSM, is_active=True)
    return list(members.select_related("user").order_by("pk"))


def _ids(
    model: type[Model], external_ids: Iterable[str], others: Mapping[str, int] = MappingProxyType({})
) -> NDArray[np.int64]:
    manager: Any = model._default_manager
    wanted = list(external_ids)
    known = dict(others) | dict(manager.filter(external_id__in=wanted).values_list("external_id", "pk"))
    return np.array([known[external_id] for external_id in wanted], dtype=np.int64)
