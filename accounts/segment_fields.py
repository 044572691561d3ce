"""What rules may ask of an account by the facts of this app: who it is, its contracts, tickets and traits."""

from __future__ import annotations

from typing import Any

from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import (
    Account,
    AccountTrait,
    BillingInterval,
    Contact,
    Invoice,
    LetGo,
    Membership,
    Plan,
    Segment,
    SegmentMembership,
    Subscription,
    Ticket,
    TicketPriority,
    TraitDefinition,
)
from accounts.registry import segment_field_families, segment_fields
from accounts.segments.fields import FieldKind, Moment, SegmentField, SegmentFieldFamily

ACCOUNT, BILLING, SUPPORT, TRAITS = _("Account"), _("Billing"), _("Support"), _("Traits")
MOST_CHOICES = 300
Kind = TraitDefinition.Kind
KINDS = {
    Kind.TEXT: FieldKind.TEXT,
    Kind.NUMBER: FieldKind.NUMBER,
    Kind.BOOLEAN: FieldKind.BOOLEAN,
    Kind.DATE: FieldKind.DATE,
}


def _distinct(column: str) -> list[tuple[str, str]]:
    rows = Account.objects.exclude(**{column: ""}).order_by(column).values_list(column, flat=True).distinct()
    return [(value, value) for value in rows[:MOST_CHOICES]]


def _members() -> list[tuple[str, str]]:
    rows = Membership.objects.select_related("user").order_by("user__name", "user__email")
    return [(str(row.public_id), str(row)) for row in rows]


def _plans() -> list[tuple[str, str]]:
    return [(name, name) for name in Plan.objects.order_by("name").values_list("name", flat=True)]


def _segments() -> list[tuple[str, str]]:
    rows = Segment.objects.order_by("name").values_list("public_id", "name")
    return [(str(public_id), name) for public_id, name in rows]


def _running(moment: Moment) -> Any:
    """Subscriptions that run now."""
    return Subscription.objects.filter(
        Q(ended_at__isnull=True) | Q(ended_at__gt=moment.now), started_at__lte=moment.now
    )


def _statuses() -> list[tuple[str, str]]:
    rows = Subscription.objects.order_by("status").values_list("status", flat=True).distinct()
    return [(status, status) for status in rows]


def _overdue(moment: Moment) -> Any:
    return Invoice.objects.filter(status="open", due_at__lt=moment.now)


def _open_tickets(moment: Moment) -> Any:
    return Ticket.objects.filter(closed_at__isnull=True, opened_at__lte=moment.now)


def _champions(moment: Moment) -> Any:
    return Contact.objects.filter(is_champion=True, left_at__isnull=True)


def _let_go(moment: Moment) -> Any:
    return LetGo.objects.filter(withdrawn_at__isnull=True)


def _memberships(moment: Moment) -> Any:
    return SegmentMembership.objects.filter(left_at__isnull=True)


def _register_account() -> None:
    text, choice, yes_no = FieldKind.TEXT, FieldKind.CHOICE, FieldKind.BOOLEAN
    for field in (
        SegmentField("csm", _("CSM"), ACCOUNT, choice, "csm__public_id", choices=_members, is_closed=True),
        SegmentField(
            "industry", _("Industry"), ACCOUNT, choice, "industry", choices=lambda: _distinct("industry")
        ),
        SegmentField(
            "country", _("Country"), ACCOUNT, choice, "country", choices=lambda: _distinct("country")
        ),
        SegmentField("name", _("Name"), ACCOUNT, text, "name", optional=False),
        SegmentField("domain", _("Domain"), ACCOUNT, text, "domain"),
        SegmentField(
            "external_id",
            _("Account id"),
            ACCOUNT,
            text,
            "external_id",
            optional=False,
            help=_("The id in your own records."),
        ),
        SegmentField(
            "created_at", _("Customer since"), ACCOUNT, FieldKind.DATE, "created_at", optional=False
        ),
        SegmentField(
            "has_champion", _("Has a champion"), ACCOUNT, yes_no, "account_id", _champions, optional=False
        ),
        SegmentField(
            "let_go", _("Deliberately let go"), ACCOUNT, yes_no, "account_id", _let_go, optional=False
        ),
        SegmentField(
            "segment",
            _("Segment"),
            ACCOUNT,
            choice,
            "segment__public_id",
            _memberships,
            choices=_segments,
            is_closed=True,
            optional=False,
            about="segments",
        ),
    ):
        segment_fields.register(field)


def _register_billing() -> None:
    choice = FieldKind.CHOICE
    for field in (
        SegmentField("plan", _("Plan"), BILLING, choice, "plan__name", _running, choices=_plans),
        SegmentField(
            "billing_interval",
            _("Billing interval"),
            BILLING,
            choice,
            "billing_interval",
            _running,
            choices=lambda: [(value, str(label)) for value, label in BillingInterval.choices],
            is_closed=True,
        ),
        SegmentField(
            "subscription_status",
            _("Subscription status"),
            BILLING,
            choice,
            "status",
            _running,
            choices=_statuses,
            help=_("Stripe's words: active, trialing, past_due …"),
        ),
        SegmentField(
            "overdue_invoice",
            _("Has an overdue invoice"),
            BILLING,
            FieldKind.BOOLEAN,
            "account_id",
            _overdue,
            optional=False,
        ),
        SegmentField(
            "open_ticket_priority",
            _("Priority of open tickets"),
            SUPPORT,
            choice,
            "priority",
            _open_tickets,
            choices=lambda: [(value, str(label)) for value, label in TicketPriority.choices],
            is_closed=True,
        ),
        SegmentField(
            "ticket_opened_at", _("A ticket was opened"), SUPPORT, FieldKind.DATE, "opened_at", _tickets
        ),
    ):
        segment_fields.register(field)


def _tickets(moment: Moment) -> Any:
    return Ticket.objects.filter(opened_at__lte=moment.now)


def _trait_fields() -> list[SegmentField]:
    return [_trait_field(definition) for definition in TraitDefinition.objects.order_by("label", "key")]


def _trait_field(definition: TraitDefinition) -> SegmentField:
    kind = KINDS[Kind(definition.kind)]
    definition_id = definition.pk

    def latest(moment: Moment) -> Any:
        """The value in force of each account; found in one pass over the trait's rows."""
        known = AccountTrait.objects.filter(
            Q(known_at__isnull=True) | Q(known_at__lte=moment.now), definition_id=definition_id
        )
        newest = known.order_by("account_id", F("known_at").desc(nulls_last=True)).distinct("account_id")
        return AccountTrait.objects.filter(pk__in=newest.values("pk"))

    return SegmentField(
        f"trait:{definition.key}",
        definition.label or definition.key,
        TRAITS,
        kind,
        "value_text" if kind == FieldKind.TEXT else "value_number",
        latest,
        stored_as="epoch_days" if kind == FieldKind.DATE else "datetime",
    )


def register() -> None:
    _register_account()
    _register_billing()
    segment_field_families.register(SegmentFieldFamily("trait", _trait_fields))
