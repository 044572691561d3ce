"""A workspace on the fake Stripe with a failed payment, and a person with the link to the card page."""

from __future__ import annotations

import contextlib
import re
import urllib.parse
import urllib.request
from typing import Any

import stripe
from django.test import Client
from django.utils import timezone

from accounts.models import Contact, Invoice, Job
from accounts.services.billing_orders import connected
from accounts.services.billing_pace import paced_gateway
from accounts.services.billing_refresh import Reader
from accounts.services.jobs import run_due_jobs
from cs_platform.lib.scoping import workspace_scope
from dunning.models import DunningCase
from dunning.services.pay_links import pay_url
from tests.builders import make_contact
from tests.dunning.engine import world
from tests.fake_stripe.running import FakeStripe


class Shop:
    """Acme on the fake Stripe; its worker runs in the test's own thread."""

    def __init__(self, fake: FakeStripe, cast: Any) -> None:
        self.fake, self.cast = fake, cast

    def scope(self) -> Any:
        return workspace_scope(self.cast.workspace.pk)

    def failed(self, *plan: Any, count: int = 1) -> list[DunningCase]:
        """Cases of invoices whose first charge failed by the plan's first step."""
        with self.scope():
            invoices = world.fail(self.fake, [plan or ("expired_card", "ok")], count)
            return world.open_cases(invoices, timezone.now())

    def another_invoice(self, case: DunningCase) -> DunningCase:
        """A second invoice of the same customer, whose charge fails too."""
        with self.scope():
            customer = case.invoice.customer.external_id
        v1 = self.fake.client().v1
        v1.invoice_items.create({"customer": customer, "amount": 2500, "currency": "usd"})
        invoice = v1.invoices.create({"customer": customer})
        v1.invoices.finalize_invoice(invoice.id)
        with contextlib.suppress(stripe.CardError):
            v1.invoices.pay(invoice.id)
        return self._heard_of(invoice.id)

    def subscription_failed(self) -> DunningCase:
        """The first invoice of a subscription that is charged by a method of its own, which expired."""
        v1 = self.fake.client().v1
        customer = v1.customers.create({"name": "Northwind", "email": "ada@example.com"})
        own = v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
        other = v1.payment_methods.attach("pm_card_mastercard", {"customer": customer.id})
        v1.customers.update(customer.id, {"invoice_settings": {"default_payment_method": other.id}})
        self.fake.outcomes(["expired_card"] * 9, payment_method=own.id)
        made = self.subscribe(customer.id, default_payment_method=own.id, payment_behavior="allow_incomplete")
        return self._heard_of(str(made.latest_invoice))

    def subscribe(self, customer_id: str, **fields: Any) -> Any:
        """The customer takes a plan of $49 a month."""
        v1 = self.fake.client().v1
        product = v1.products.create({"name": "Growth"})
        price = v1.prices.create(
            {
                "currency": "usd",
                "unit_amount": 4900,
                "recurring": {"interval": "month"},
                "product": product.id,
            }
        )
        return v1.subscriptions.create({"customer": customer_id, "items": [{"price": price.id}], **fields})

    def _heard_of(self, invoice_id: str) -> DunningCase:
        """As a message would have it: read afresh, applied, followed."""
        with self.scope():
            reader = Reader(paced_gateway(connected()))  # type: ignore[arg-type]
        reader.read(invoice_id)
        with self.scope():
            reader.found.apply(now=timezone.now())
        self.work()
        with self.scope():
            found: DunningCase = DunningCase.objects.get(invoice__external_id=invoice_id)
            return found

    def person(self, case: DunningCase, **fields: Any) -> Contact:
        with self.scope():
            values = {"role": "billing", "email": f"pay{case.pk}@example.com"} | fields
            made: Contact = make_contact(case.account, **values)
            DunningCase.objects.filter(account=case.account).update(contact=made)
            return made

    def link(self, case: DunningCase, contact: Contact | None) -> str:
        """The path of the page, as a mail has it."""
        with self.scope():
            url = pay_url(account=case.account, contact=contact, now=timezone.now())
        return urllib.parse.urlsplit(url).path

    def work(self, rounds: int = 1) -> int:
        """Everything that waits is due now, and done; so often."""
        done = 0
        for _ in range(rounds):
            with self.scope():
                Job.objects.update(due_at="2000-01-01T00:00:00Z")
            done += run_due_jobs(limit=200)
        return done

    def invoice(self, case: DunningCase) -> Invoice:
        with self.scope():
            found: Invoice = Invoice.objects.get(pk=case.invoice_id)
            return found

    def again(self, case: DunningCase) -> DunningCase:
        with self.scope():
            found: DunningCase = DunningCase.objects.get(pk=case.pk)
            return found


def save_card(url: str, number: str = "4242424242424242") -> str:
    """What a person does on the provider's page; returns where it leads back to."""
    body = urllib.parse.urlencode({"method": number}).encode()
    opener = urllib.request.build_opener(_Stay())
    answer = opener.open(urllib.request.Request(url, data=body))
    return str(answer.headers.get("Location") or answer.geturl())


class _Stay(urllib.request.HTTPRedirectHandler):
    def http_error_303(self, req: Any, fp: Any, code: Any, msg: Any, headers: Any) -> Any:
        return fp

    http_error_302 = http_error_303


def page_of_stripe(browser: Client, waiting: str) -> str:
    """The address that our waiting page leads on to."""
    answer = browser.get(waiting)
    found = re.search(r'id="go-on" href="([^"]+)"', answer.content.decode())
    assert found, answer.content.decode()
    return found[1].replace("&amp;", "&")


def path_of(url: str) -> str:
    parts = urllib.parse.urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
