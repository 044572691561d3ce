"""This app's tables and what they may know of a person."""

from __future__ import annotations

from django.db.models import BinaryField, F, Func, IntegerField, Q, Value
from django.db.models.lookups import GreaterThan

from accounts.privacy import Person, table


def _contact(person: Person) -> Q:
    return Q(contact_id=person.contact_id)


def _body_names(person: Person) -> Q:
    """Raw bodies (they are kept until they are worked on) with an address of the person in them."""
    found = Q(pk__in=[])
    for address in sorted(person.emails):
        place = Func(
            Value(address.encode(), output_field=BinaryField()),
            F("body"),
            template="position(%(expressions)s)",
            arg_joiner=" in ",
            output_field=IntegerField(),
        )
        found |= Q(GreaterThan(place, 0))
    return found


def _deleted(person: Person) -> None:
    return None


def register() -> None:
    _people()
    _conversations()
    _mail()
    _money()
    _provider()
    _imports()
    _configuration()
    _machinery()


def _people() -> None:
    table(
        "accounts.contact",
        person="external_id email name traits",
        business="role",
        of=lambda p: Q(pk=p.contact_id),
        erase=lambda p: {
            "external_id": p.tombstone,
            "email": "",
            "name": "",
            "traits": {},
            "is_champion": False,
        },
    )
    table("accounts.account", business="external_id name domain industry country")
    table("accounts.accountalias", business="key")
    table("accounts.traitdefinition", business="key label")
    table("accounts.accounttrait", free_text="value_text")
    table("accounts.membership")
    table("accounts.invitation", staff="email", code="token_hash")
    table("accounts.savedview", code="page", staff="name query")


def _conversations() -> None:
    table("accounts.note", free_text="body")
    table("accounts.letgo", free_text="note")
    table(
        "accounts.activity",
        person="title body data",
        code="kind source",
        of=_contact,
        erase=lambda p: {"title": "", "body": "", "data": {}},
    )
    table(
        "accounts.ticket",
        person="subject properties",
        business="external_id",
        of=_contact,
        erase=lambda p: {"subject": "", "properties": {}},
    )


def _mail() -> None:
    table(
        "accounts.outboundemail",
        person="to_address context message_id",
        business="from_name reply_to",
        code="kind language source_type mail_class motion category clock held_reason provider_id last_error",
        of=lambda p: Q(contact_id=p.contact_id) | Q(to_address__in=p.emails),
        erase=lambda p: {"to_address": "", "context": {}, "message_id": "", "address_hash": None},
        secret="address_hash",
    )
    table("accounts.accesslink", code="purpose", secret="token_hash", of=_contact, erase=_deleted)
    table("accounts.contacthold", of=_contact, erase=_deleted)
    table(
        "accounts.maildecision",
        person="detail",
        code="kind reason",
        of=_contact,
        erase=lambda p: {"detail": {}},
    )
    table(
        "accounts.emailsuppression",
        person="address note",
        code="address_hash",
        of=lambda p: Q(address__in=p.emails),
        erase=lambda p: {"address": "", "note": ""},
        legal_basis="the hash of an address that must not be mailed",
    )
    table("accounts.mailevent", code="event_id address_hash code")
    table("accounts.mailprovider", code="name", secret="secret")
    table("accounts.inboundwebhook", code="source digest", free_text="headers body")


def _money() -> None:
    table("accounts.plan", business="name currency external_id")
    table(
        "accounts.subscription",
        business="external_id status currency",
        code="ended_reason provider default_method collection_method",
        free_text="properties",
    )
    table("accounts.subscriptionchange", business="currency")
    table("accounts.mrrmovement", business="currency")
    table("accounts.exchangerate", business="currency")
    table(
        "accounts.invoice",
        business="external_id currency status number description",
        code="provider billing_reason collection_method hosted_url payment_ref",
        free_text="properties",
        legal_basis="accounting rows name the customer company, not the person",
    )
    table(
        "accounts.paymentattempt",
        code="decline_code advice_code network_code external_id method method_kind brand country fingerprint",
        business="last4",
        legal_basis="accounting rows: a card's last four digits, never its number",
    )


def _provider() -> None:
    """The payment provider's side: its customers, cards and messages, and what was ordered from it."""
    table(
        "accounts.billingcustomer",
        person="name email properties",
        code="provider external_id language country currency default_method discount",
        of=lambda p: Q(email__in=p.emails),
        erase=lambda p: {"name": "", "email": "", "properties": {}},
    )
    table(
        "accounts.paymentmethod",
        code="external_id kind brand country fingerprint wallet blocked_code",
        business="last4",
    )
    table(
        "accounts.billingorder",
        code="key source_type method provider_ref decline_code advice_code network_code error_code currency",
        business="parameters result",
        legal_basis="accounting rows: what was charged, when and with which outcome",
    )
    table(
        "accounts.billingconnection",
        code="provider account_ref missing unproven_reason",
        business="account_name",
        secret="api_key webhook_secret previous_secret",
    )
    table("accounts.billingpace")
    table("accounts.billingsync", code="cursor counts error")
    table("accounts.ledgerrow", code="object_type external_id parent_ref status currency")
    table("accounts.billingdifference", code="object_type external_id ours theirs")
    table(
        "accounts.billingmessage",
        person="body",
        code="message_id message_type object_id last_error",
        of=_body_names,
        erase=lambda p: {"body": None},
    )


def _imports() -> None:
    table("accounts.import", code="kind file_digest", business="file_name", free_text="options detail")
    table("accounts.importchange", code="table", free_text="before after")
    table("accounts.importreject", business="field", code="reason", free_text="detail")
    table(
        "accounts.importupload",
        code="kind header_digest",
        business="file_name",
        free_text="columns samples options preview result problem",
    )
    table("accounts.importmapping", code="kind header_digest", business="options")
    table("accounts.storedfile", business="name", code="content_type digest")
    # Files that name the person are deleted whole, see `services/person_erasure.py`.
    table("accounts.storedfilechunk", business="data")


def _configuration() -> None:
    table("accounts.holiday", business="name")
    table("accounts.segment", business="name description")
    table("accounts.segmentversion", business="definition note")
    table("accounts.segmentmembership")
    table("accounts.mailtext", code="key", business="name")
    table("accounts.mailtextversion", business="definition note")
    table("accounts.mailbranding", business="from_name from_address reply_to_address colour postal_address")
    table("accounts.brandlogo")
    table("accounts.retentionchoice", code="kind")
    table("accounts.welcomedismissal")


def _machinery() -> None:
    table("accounts.apikey", staff="name", secret="secret_hash", code="hint")
    table("accounts.apipace")
    table("accounts.apianswer", code="request_digest", business="idempotency_key", free_text="body")
    table("accounts.auditentry", code="action object_type data digest")
    table("accounts.audithead", code="digest")
    table(
        "accounts.identityprovider",
        business="name issuer client_id authorize_origin domains",
        secret="client_secret",
    )
    table("accounts.notification", code="kind cause_key", business="context")
    table("accounts.notificationchoice", code="kind")
    table("accounts.notificationdigest")
    table("accounts.workspacesecret", code="name", secret="secret")
    table("accounts.erasedidentity", code="digest tombstone")
    table("accounts.personrequest", code="counts", of=_contact, erase=lambda p: {})
    table("accounts.workspaceexport")
    table(
        "accounts.webhookendpoint",
        business="url description",
        code="event_types disabled_reason",
        secret="secret previous_secret",
    )
    table("accounts.webhookmessage", code="event_type cause_key", business="payload")
    table("accounts.webhookdelivery")
    table("accounts.webhookattempt", code="error")
