"""One failed payment under everything that may happen to it, in any order (Hypothesis draws it).

At every moment: no order's key charges twice, at most one charge succeeds, a case that is over stays as it ended,
the history replays to the stored state. And when all has come to rest, our books and the provider's ledger agree.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any

import pytest
import stripe
import time_machine
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from accounts.models import BillingOrder, Invoice, Job, OrderKind, PaymentAttempt
from accounts.services.billing_orders import connected
from accounts.services.billing_pace import paced_gateway
from accounts.services.billing_refresh import Found, Reader
from accounts.services.jobs import run_due_jobs
from cs_platform.lib.scoping import workspace_scope
from dunning.models import DunningCase
from dunning.services import case_verbs
from dunning.services.case_verbs import CaseRefused
from dunning.services.cases import open_case
from tests.dunning.engine import world
from tests.fake_stripe.running import FakeStripe

# DUNNING_MACHINE="300 30" sets examples and steps of the long form.
SOAK = tuple(int(word) for word in os.environ.get("DUNNING_MACHINE", "5000 50").split())
QUICK = (6, 15)
PAY = "/v1/invoices/*/pay"
CODES = [
    "ok",
    "insufficient_funds",
    "generic_decline",
    "processing_error",
    "lost_card",
    "expired_card",
    "3ds",
]
TROUBLE = ["drop_after", "drop_before", "error_after", "error_before", "unavailable", "malformed", "conflict"]
SHOP: dict[str, Any] = {}


class FailedPayment(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.fake: FakeStripe = SHOP["fake"]
        self.cast = SHOP["cast"]
        self.ended: tuple[str, str] | None = None
        self.late: list[Found] = []
        self.travel: Any = None
        self.block: Any = None

    @initialize(code=st.sampled_from(CODES[1:6]))
    def a_payment_fails(self, code: str) -> None:
        self.fake.faults()
        self.fake.control("POST", "stats/clear")
        self.sync_clock()
        self.block = transaction.atomic()
        self.block.__enter__()
        with self.scope():
            self.first = len(self.fake.ledger())
            seeded = self.fake.seed(1, plans=[[code]], amount=world.AMOUNT)
            invoice = world.mirror(self.fake, seeded)[0]
            self.invoice_id, self.external = invoice.pk, invoice.external_id
            self.customer, self.method = seeded["customers"][0], seeded["payment_methods"][0]
            case = open_case(invoice, now=timezone.now())
            assert case is not None
            self.case_id = case.pk

    # --- time and work
    @rule(hours=st.sampled_from([1, 8, 21, 26, 72, 24 * 9]))
    def time_passes(self, hours: int) -> None:
        self.fake.advance(hours=hours)
        self.sync_clock()

    @rule()
    def the_worker_works(self) -> None:
        with self.scope():
            world.let_pass()
        run_due_jobs(limit=6)

    # --- the provider
    @rule(kind=st.sampled_from(TROUBLE))
    def the_next_call_goes_wrong(self, kind: str) -> None:
        self.fake.faults({"kind": kind, "path": PAY, "next": 1})

    @rule(codes=st.lists(st.sampled_from(CODES), min_size=1, max_size=2))
    def the_bank_changes_its_mind(self, codes: list[str]) -> None:
        self.fake.outcomes(codes, payment_method=self.method)

    @rule()
    def a_message_comes(self) -> None:
        self.apply(self.read(self.external))

    @rule()
    def a_message_is_read_but_not_applied_yet(self) -> None:
        self.late.append(self.read(self.external))

    @rule()
    def a_late_message_is_applied(self) -> None:
        for found in self.late[:1]:
            self.apply(found)
            self.apply(found)

    @rule()
    def somebody_pays_at_the_provider(self) -> None:
        self.at_the_provider(lambda v1: v1.invoices.pay(self.external, {"paid_out_of_band": True}))

    @rule()
    def the_invoice_is_voided(self) -> None:
        self.at_the_provider(lambda v1: v1.invoices.void_invoice(self.external))

    @rule()
    def the_charge_is_refunded(self) -> None:
        paid = [row for row in self.charges() if row["status"] == "succeeded" and not row["refunded"]]
        for row in paid[:1]:
            charge = row["charge"]
            self.at_the_provider(lambda v1, charge=charge: v1.refunds.create({"charge": charge}))

    @rule()
    def the_card_changes(self) -> None:
        def change(v1: Any) -> None:
            made = v1.payment_methods.attach("pm_card_visa", {"customer": self.customer})
            v1.customers.update(self.customer, {"invoice_settings": {"default_payment_method": made.id}})
            self.method = made.id

        self.at_the_provider(change)
        self.apply(self.read(self.customer, self.method))

    # --- people
    @rule()
    def the_person_pays(self) -> None:
        self.act(lambda case: case_verbs.pay_now(case=case, now=timezone.now()))

    @rule(kind=st.sampled_from(TROUBLE))
    def the_person_pays_and_something_goes_wrong(self, kind: str) -> None:
        self.the_next_call_goes_wrong(kind)
        self.the_person_pays()
        self.the_worker_works()

    @rule(verb=st.sampled_from(["retry_now", "stop", "resume", "hand_over", "close"]))
    def a_csm_acts(self, verb: str) -> None:
        def do(case: DunningCase) -> Any:
            return getattr(case_verbs, verb)(case=case, acting_user=self.cast.ada, now=timezone.now())

        self.act(do)

    @rule()
    def the_person_confirms(self) -> None:
        self.act(lambda case: case_verbs.confirmation_done(case=case, has_passed=True, now=timezone.now()))

    # --- what holds
    @invariant()
    def nothing_is_charged_twice(self) -> None:
        if self.block is None:
            return
        charges = self.charges()
        assert sum(row["status"] == "succeeded" for row in charges) <= 1
        keys = [row["key"] for row in charges if row["key"]]
        assert len(keys) == len(set(keys))

    @invariant()
    def the_case_is_its_history(self) -> None:
        if self.block is None:
            return
        with self.scope():
            assert world.unexplained() == []
            case = DunningCase.objects.get(pk=self.case_id)
            if self.ended is not None:
                assert (case.state, case.closing_reason) == self.ended
            elif case.state != "open":
                self.ended = (case.state, case.closing_reason)
            assert PaymentAttempt.objects.filter(invoice_id=self.invoice_id, status="succeeded").count() <= 1

    def teardown(self) -> None:
        try:
            if self.block is not None:
                self.come_to_rest()
        finally:
            if self.block is not None:
                transaction.set_rollback(True)
                self.block.__exit__(None, None, None)
            if self.travel is not None:
                self.travel.stop()

    def come_to_rest(self) -> None:
        """All trouble ends, and time enough passes for every outcome to be known."""
        self.fake.faults()
        for hours in (1, 30):
            self.fake.advance(hours=hours)
            self.sync_clock()
            for _ in range(2):
                self.the_worker_works()
        with self.scope():
            orders = BillingOrder.objects.filter(kind=OrderKind.PAY)
            assert not orders.filter(state__in=("sent", "unknown")).exists()
            assert not Job.objects.filter(last_error="IllegalStep").exists()
            settled = {o.provider_ref: o.state for o in orders.exclude(provider_ref="")}
            made = {row["charge"]: row["status"] for row in self.charges() if row["key"]}
            assert set(made) == set(settled), (made, settled)
            for charge, status in made.items():
                wanted = {"succeeded"} if status == "succeeded" else {"failed", "action_needed"}
                assert settled[charge] in wanted
            if "succeeded" in made.values():
                assert Invoice.objects.get(pk=self.invoice_id).status == "paid"
                assert DunningCase.objects.get(pk=self.case_id).state != "open"

    # --- means
    def scope(self) -> Any:
        return workspace_scope(self.cast.workspace.pk)

    def sync_clock(self) -> None:
        if self.travel is not None:
            self.travel.stop()
        self.travel = time_machine.travel(datetime.fromtimestamp(self.fake.now(), UTC), tick=True)
        self.travel.start()

    def charges(self) -> list[dict[str, Any]]:
        return self.fake.ledger(invoice=self.external)

    def read(self, *ids: str) -> Found:
        with self.scope():
            way = connected()
        assert way is not None
        reader = Reader(paced_gateway(way))
        for name in ids:
            reader.read(name)
        return reader.found

    def apply(self, found: Found) -> None:
        with self.scope():
            found.apply(now=timezone.now())

    def at_the_provider(self, act: Any) -> None:
        try:
            act(self.fake.client().v1)
        except stripe.StripeError:  # paid or closed already: that is what a person would see there
            return

    def act(self, do: Any) -> None:
        try:
            with self.scope():
                do(DunningCase.objects.get(pk=self.case_id))
        except CaseRefused:  # the page says why
            return


@pytest.mark.django_db
@pytest.mark.parametrize("size", [QUICK, pytest.param(SOAK, marks=pytest.mark.soak)])
def test_whatever_happens(fake_stripe: FakeStripe, cast: Any, settings: Any, size: tuple[int, int]) -> None:
    settings.STRIPE_API_BASE = fake_stripe.url
    with workspace_scope(cast.workspace.pk):
        world.connect(per_second=30_000)
        world.no_notices()
    SHOP.update(fake=fake_stripe, cast=cast)
    run(*size)
    print(f"{size[0]} examples of {size[1]} steps; 0 broken")


def run(examples: int, steps: int) -> None:
    run_state_machine_as_test(
        FailedPayment,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
            phases=(Phase.generate,),  # a failing run is told by its steps; making it short takes minutes
        ),
    )
