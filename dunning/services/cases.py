"""A case begins with a failed payment and follows its invoice: paid, void, given up, tried by others, left."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import (
    BillingOrder,
    Contact,
    ContactRole,
    Invoice,
    Job,
    OrderKind,
    OrderState,
    PaymentAttempt,
    PaymentMethod,
)
from accounts.services.billing_orders import bring_forward
from accounts.services.jobs import ComeBack
from dunning.cases.steps import (
    CardUpdated,
    Closed,
    Detail,
    Opened,
    PaidElsewhere,
    RetryFailed,
    RetrySucceeded,
    SubscriptionCanceled,
    Voided,
)
from dunning.cases.transitions import State
from dunning.models import DunningCase
from dunning.policy.definition import PolicyDefinition, RetriedBy
from dunning.policy.judging import Refusal
from dunning.queries.case_facts import current_method
from dunning.queries.leaving import has_left, is_for_after, leaves_at
from dunning.queries.refused_orders import with_hurdles
from dunning.registry import case_listeners
from dunning.services.case_plans import plan, take_over
from dunning.services.case_steps import CASE_JOB, CaseBook, begin_book, open_book, wake
from dunning.services.closing import after_closing, stop_orders
from dunning.services.collecting import LOOK_JOB, is_collected
from dunning.services.leaving import note_leaving
from dunning.services.notice_holdout import is_held_out
from dunning.services.policies import definition_of, version_in_force
from dunning.services.refused_orders import close_needless

LEAST_TIME = timedelta(days=7)  # between the opening and the end, for notices to be read
ON_ITS_WAY = (OrderState.SENT, OrderState.UNKNOWN)
SOON, LATER = timedelta(seconds=10), timedelta(minutes=10)
Failed = PaymentAttempt.Status.FAILED


def look(invoice_id: int) -> None:
    """Handler of the job that follows a change of an invoice."""
    look_at_invoice(invoice_id, now=timezone.now())


def look_at_invoice(invoice_id: int, *, now: datetime) -> DunningCase | None:
    """Open, follow or close the invoice's case; None when it has none. In the running transaction.

    While a charge of ours is on its way nothing is judged: what the provider shows may be that charge.
    Raises ComeBack then.
    """
    rows = Invoice.objects.select_related("subscription", "customer", "account")
    invoice = rows.filter(pk=invoice_id).first()
    if invoice is None:
        return None
    case_id = DunningCase.objects.filter(invoice=invoice).values_list("pk", flat=True).first()
    if case_id is None:
        return open_case(invoice, now=now)
    orders = BillingOrder.objects.filter(invoice=invoice, kind=OrderKind.PAY)
    if under_way := orders.filter(state__in=ON_ITS_WAY).first():
        raise ComeBack(SOON if under_way.state == OrderState.SENT else LATER)
    if pending := orders.filter(state=OrderState.PENDING).first():  # a debit of days: its order learns of it
        bring_forward(pending)
        return None
    book = open_book(case_id)
    if book is None:
        return None
    _follow(book, invoice, now)
    return book.case


def open_case(invoice: Invoice, *, now: datetime) -> DunningCase | None:
    """A case for a payment that failed and is still owed; None where there is nothing to collect.

    Nobody is dunned who has left on purpose, for the time after they will leave, no failure from before a person
    started the collecting, and none that is older than the policy's whole time.
    """
    failed = PaymentAttempt.objects.filter(invoice=invoice, status=Failed).order_by("attempted_at", "number")
    attempts = list(failed)
    if not attempts or not _is_owed(invoice) or has_left(invoice, now=now):
        return None
    if (end := leaves_at(invoice, now=now)) is not None and is_for_after(invoice, end):
        return None
    version = version_in_force()
    policy = definition_of(version)
    first, last = attempts[0], attempts[-1]
    if not is_collected(first.attempted_at) or first.attempted_at + policy.duration <= now:
        return None
    case = DunningCase(
        invoice=invoice, account=invoice.account, policy_version=version, contact=payer_of(invoice)
    )
    opened = Opened(
        amount_minor=invoice.amount_minor - invoice.amount_paid_minor,
        currency=invoice.currency,
        failed_at=first.attempted_at,
        ends_at=max(first.attempted_at + policy.duration, now + LEAST_TIME),
        decline_code=last.decline_code,
        decline_class=class_of(last, policy),
        attempts=len(attempts),
        is_held_out=is_held_out(version=version, account_id=invoice.account_id, now=now),
    )
    book = begin_book(case, opened, at=now)
    try:
        with transaction.atomic():
            book.write()
    except IntegrityError:  # opened by another door at this moment
        return DunningCase.objects.filter(invoice=invoice).first()
    take_over(book, now=now)
    note_leaving(book, now=now)
    plan(book, now=now)
    book.write()
    for listener in case_listeners:
        listener.on_opened(case, now)
    Job.objects.put(CASE_JOB, case.pk)
    return case


def _is_owed(invoice: Invoice) -> bool:
    return invoice.status == "open" and invoice.amount_minor > invoice.amount_paid_minor


def payer_of(invoice: Invoice) -> Contact | None:
    """Whom notices of this invoice go to."""
    return payer_of_account(invoice.account_id)


def payer_of_account(account_id: int) -> Contact | None:
    """The billing contact, else the champion, else an admin, else anybody with an address."""
    people = Contact.objects.filter(account_id=account_id, left_at__isnull=True).exclude(email="")

    def rank(contact: Contact) -> tuple[int, int]:
        order = (contact.role == ContactRole.BILLING, contact.is_champion, contact.role == ContactRole.ADMIN)
        return (next((i for i, fits in enumerate(order) if fits), len(order)), contact.pk)

    return min(people, key=rank, default=None)


def class_of(attempt: PaymentAttempt, policy: PolicyDefinition) -> str:
    refusal = Refusal(
        attempt.decline_code,
        attempt.advice_code,
        attempt.network_code,
        attempt.network_code,
        attempt.brand,
    )
    return str(policy.judge(refusal).decline_class)


def _follow(book: CaseBook, invoice: Invoice, now: datetime) -> None:
    """What the invoice shows that the case does not know yet."""
    close_needless(book.case, now=now)
    if not book.state.is_open:
        return
    if ending := _ending(book, invoice, now):
        if not stop_orders(book, now=now):
            raise ComeBack(SOON)
        book.record(ending, at=now)
        book.write()
        after_closing(book, now=now)
        return
    _note_attempts_of_others(book, invoice, now)
    _note_card(book, invoice, now)
    note_leaving(book, now=now)
    plan(book, now=now)
    book.write()
    wake(book, now=now)


def _ending(book: CaseBook, invoice: Invoice, now: datetime) -> Detail | None:
    if invoice.status == "paid":
        return _paid(book, invoice)
    if invoice.status == "void":
        return Voided()
    if invoice.status == "uncollectible":
        return Closed(state=State.UNCOLLECTIBLE, reason="uncollectible")
    subscription = invoice.subscription
    if has_left(invoice, now=now):
        return SubscriptionCanceled(is_voluntary=True)
    if subscription is not None and subscription.ended_at is not None and subscription.ended_at <= now:
        return SubscriptionCanceled(is_voluntary=False)
    return None


def _paid(book: CaseBook, invoice: Invoice) -> Detail:
    """Paid by a charge that was not ours: thanks to us where we had asked, else elsewhere."""
    amount = invoice.amount_paid_minor or invoice.amount_minor
    state, Succeeded = book.state, PaymentAttempt.Status.SUCCEEDED
    asked = bool(state.notices_sent or state.confirmation_asked_at or state.card_updated_at)
    if asked or book.policy.retried_by is RetriedBy.STRIPE:
        charges = PaymentAttempt.objects.filter(invoice=invoice, status=Succeeded)
        if charges.exists():
            return RetrySucceeded(amount_minor=amount, currency=invoice.currency, made_by="provider")
    return PaidElsewhere(amount_minor=amount, currency=invoice.currency)


def _note_attempts_of_others(book: CaseBook, invoice: Invoice, now: datetime) -> None:
    """Failed tries that no order of ours made, since the case last looked."""
    opened = next(step.detail for step in book.steps if isinstance(step.detail, Opened))
    noted = opened.attempts + sum(
        isinstance(step.detail, RetryFailed) and step.detail.made_by == "provider" for step in book.steps
    )
    rows = PaymentAttempt.objects.filter(invoice=invoice, status=Failed, order__isnull=True)
    for attempt in list(rows.order_by("attempted_at", "number"))[noted:]:
        book.record(
            RetryFailed(
                made_by="provider",
                decline_code=attempt.decline_code,
                decline_class=class_of(attempt, book.policy),
                advice_code=attempt.advice_code,
            ),
            at=now,
        )


def _note_card(book: CaseBook, invoice: Invoice, now: datetime) -> None:
    """Another method than the last try used, or a new card behind the same one."""
    method = current_method(invoice)
    if method is None:
        return
    last = PaymentAttempt.objects.filter(invoice=invoice).order_by("-attempted_at", "-number").first()
    since = max(filter(None, (book.state.last_failed_at, book.state.card_updated_at)), default=None)
    if last is None or since is None:
        return
    if method.replaced_at is not None and method.replaced_at > since:
        _card_updated(book, method, "provider", now)
    elif (
        _is_other(method, last)
        and not _was_tried(invoice, method)
        and (book.state.card_updated_at is None or method.created_at > since)
    ):
        _card_updated(book, method, "person", now)


def _is_other(method: PaymentMethod, last: PaymentAttempt) -> bool:
    if last.fingerprint and method.fingerprint:
        return method.fingerprint != last.fingerprint
    return bool(last.method) and method.external_id != last.method


def _was_tried(invoice: Invoice, method: PaymentMethod) -> bool:
    """It is the one that failed before: the last try was of another method, named for that charge alone."""
    tries = PaymentAttempt.objects.filter(invoice=invoice)
    same = Q(method=method.external_id)
    return bool(
        tries.filter(same | Q(fingerprint=method.fingerprint) if method.fingerprint else same).exists()
    )


def _card_updated(book: CaseBook, method: PaymentMethod, made_by: str, now: datetime) -> None:
    book.record(CardUpdated(made_by=made_by, brand=method.brand, last4=method.last4), at=now)


def look_at_customer(customer_id: int) -> None:
    """Handler: another card. Every open case of the customer looks anew."""
    _look_at_all(Invoice.objects.filter(customer_id=customer_id))


def look_at_subscription(subscription_id: int) -> None:
    """Handler: a subscription ended, will, or does not any more. Its open cases look anew, and those whose end was
    not done."""
    _look_at_all(Invoice.objects.filter(subscription_id=subscription_id))
    over = DunningCase.objects.filter(invoice__subscription_id=subscription_id, state=State.UNCOLLECTIBLE)
    asking = with_hurdles(over)
    for case in over:
        if case.pk in asking:
            Job.objects.put(LOOK_JOB, case.invoice_id)


def _look_at_all(invoices: object) -> None:
    open_cases = DunningCase.objects.filter(invoice__in=invoices, state=State.OPEN)
    for invoice_id in open_cases.order_by("pk").values_list("invoice_id", flat=True):
        Job.objects.put(LOOK_JOB, invoice_id)
