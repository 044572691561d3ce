"""Which account a customer of the provider is, and who there gets its bills."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from accounts.gateways.stripe.facts import CustomerFacts
from accounts.models import Account, BillingCustomer, Contact, ContactRole, Workspace
from accounts.models.workspaces import LANGUAGES
from accounts.services.erased import tombstones
from accounts.signals import account_changed, contact_changed
from cs_platform.lib.scoping import current_workspace_id

# Under which names companies keep their own id of the customer at the provider.
_OWN_KEYS = ("account", "external_id", "account_id")


def account_of(found: CustomerFacts, known: BillingCustomer | None, *, now: datetime) -> Account:
    """The account by its own id in the customer's metadata; else as it was; else by the provider's id; else new.

    The caller holds a lock on the customer.
    """
    own_key = own_key_of(found)
    if own_key:
        named = Account.objects.filter(external_id=own_key).first()
        if named is not None:
            return named
    if known is not None and known.account is not None:
        return known.account
    key = own_key or found.id
    account, is_new = Account.objects.get_or_create(
        external_id=key, defaults=new_account(found, key, now=now)
    )
    if is_new:
        account_changed.send(account.pk)
    return account


def own_key_of(found: CustomerFacts) -> str:
    """The company's own id of the customer, where it keeps one at the provider."""
    return next((found.metadata[key] for key in _OWN_KEYS if found.metadata.get(key)), "")[:200]


def new_account(found: CustomerFacts, key: str, *, now: datetime) -> dict[str, Any]:
    """What is known of an account that nobody else told us of."""
    return {
        "name": (found.name or found.email.partition("@")[2] or key)[:300],
        "country": found.country,
        "created_at": found.created_at or now,
        "is_start_assumed": True,
    }


def keep_billing_contact(found: CustomerFacts, account: Account, *, now: datetime) -> None:
    """The address that bills go to is a person of the account; who is known already stays as they are."""
    if not found.email or Contact.objects.filter(account=account, email__iexact=found.email).exists():
        return
    language = Workspace.objects.get(pk=current_workspace_id()).language
    contact, is_new = Contact.objects.get_or_create(
        external_id=found.id, defaults=new_contact(found, account, language, now=now)
    )
    if not is_new and contact.email != found.email:  # the company changed the address at the provider
        contact.email, contact.account = found.email[:254], account
        contact.save(update_fields=["email", "account"])
    contact_changed.send(contact.pk)


def new_contact(found: CustomerFacts, account: Account, language: str, *, now: datetime) -> dict[str, Any]:
    """Who gets the bills; `language` is for who has none that we speak."""
    return {
        "account": account,
        "email": found.email[:254],
        "role": ContactRole.BILLING,
        "language": found.language if found.language in dict(LANGUAGES) else language,
        "created_at": found.created_at or now,
    }


def is_erased(found: CustomerFacts) -> bool:
    """Whether the person behind the customer was erased here: nothing about them may come back."""
    return bool(erased_of([found]))


def erased_of(found: Iterable[CustomerFacts]) -> set[str]:
    """The ids of those customers whose person was erased here."""
    names = {one.id: {one.id.lower(), one.email.strip().lower()} for one in found}
    gone = tombstones({name for both in names.values() for name in both}).keys()
    return {key for key, both in names.items() if both & gone}
