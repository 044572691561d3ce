"""The whole simulated business in one value, and its true probabilities of leaving."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from health.simulation import history as past
from health.simulation.billing import InvoiceBook, SimulatedInvoice
from health.simulation.companies import SimulatedAccount, make_accounts
from health.simulation.history import History, stream
from health.simulation.lanes import Floats
from health.simulation.people import PeopleBook, SimulatedContact
from health.simulation.plans import PLANS, Plan
from health.simulation.spec import SimulationSpec
from health.simulation.subscriptions import SimulatedSubscription, SubscriptionBook
from health.simulation.support import SimulatedTicket, make_tickets
from health.simulation.surveys import SimulatedSurveyAnswer, make_answers
from health.simulation.touches import SimulatedTouch, make_touches
from health.simulation.usage import FEATURES, EventBatch, Feature, UsageStream


@dataclass(frozen=True, slots=True)
class Business:
    """A simulated vendor and its customers. Indexes in the parts point into ``accounts`` and ``contacts``.

    ``history`` holds the hidden states; for tests and the truth file, never written to a workspace.
    """

    spec: SimulationSpec
    plans: tuple[Plan, ...]
    features: tuple[Feature, ...]
    accounts: tuple[SimulatedAccount, ...]
    contacts: tuple[SimulatedContact, ...]
    subscriptions: tuple[SimulatedSubscription, ...]
    invoices: tuple[SimulatedInvoice, ...]
    tickets: tuple[SimulatedTicket, ...]
    touches: tuple[SimulatedTouch, ...]
    survey_answers: tuple[SimulatedSurveyAnswer, ...]
    history: History

    def events(self, size: int = 50_000, *, told_days: int = 0) -> Iterator[EventBatch]:
        """Usage events in ascending time, ``size`` to a batch; the same on every call.

        ``told_days`` leaves out what the business had when it was that many days long.
        """
        return UsageStream(self.history, self.accounts, self.contacts).batches(size, told_days=told_days)

    def true_probability(self, as_of: date, horizon_days: int, *, futures: int = 200) -> Floats:
        """True probability per account of leaving in the horizon, NaN where it is no customer then."""
        return past.true_probability(self.spec, as_of, horizon_days, futures=futures)

    def write_truth(self, path: Path, as_of: date, horizon_days: int) -> int:
        """Write the true probabilities as JSON Lines; returns how many accounts had one."""
        probabilities = self.true_probability(as_of, horizon_days)
        present = np.flatnonzero(~np.isnan(probabilities)).tolist()
        with path.open("w", encoding="utf-8") as out:
            for index in present:
                row = {
                    "account": self.accounts[index].external_id,
                    "as_of": as_of.isoformat(),
                    "horizon_days": horizon_days,
                    "probability": round(float(probabilities[index]), 4),
                }
                out.write(json.dumps(row) + "\n")
        return len(present)


def simulate(spec: SimulationSpec) -> Business:
    """The business that ``spec`` determines; the same specification always gives the same business."""
    history = past.run(spec)
    accounts = make_accounts(history.first, spec, stream(spec.seed, 1))
    contacts = PeopleBook(history, accounts, stream(spec.seed, 2)).tell()
    subscriptions = SubscriptionBook(history, accounts, stream(spec.seed, 3)).tell()
    return Business(
        spec=spec,
        plans=PLANS,
        features=FEATURES,
        accounts=accounts,
        contacts=contacts,
        subscriptions=subscriptions,
        invoices=InvoiceBook(history, subscriptions, stream(spec.seed, 4)).tell(),
        tickets=make_tickets(history, accounts, contacts, stream(spec.seed, 5)),
        touches=make_touches(history, accounts, contacts, stream(spec.seed, 6)),
        survey_answers=make_answers(history, accounts, contacts, stream(spec.seed, 9)),
        history=history,
    )
