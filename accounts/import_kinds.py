"""The kinds of import of this app."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from accounts.imports import specs
from accounts.registry import ImportKind, import_kinds


def register() -> None:
    from accounts.services.cancellations import import_cancellations
    from accounts.services.customers import import_accounts, import_contacts
    from accounts.services.invoices import import_invoices
    from accounts.services.subscriptions import import_subscriptions
    from accounts.services.tickets import import_tickets

    for label, spec, apply in (
        (_("Accounts"), specs.ACCOUNTS, import_accounts),
        (_("Contacts"), specs.CONTACTS, import_contacts),
        (_("Subscriptions"), specs.SUBSCRIPTIONS, import_subscriptions),
        (_("Tickets"), specs.TICKETS, import_tickets),
        (_("Cancellations"), specs.CANCELLATIONS, import_cancellations),
        (_("Invoices"), specs.INVOICES, import_invoices),
    ):
        import_kinds.register(ImportKind(name=spec.name, label=label, spec=spec, apply=apply))
