"""What the API answers about customers and their mirrors. Money is in minor units; null = unknown or none."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from ninja import Schema
from pydantic import Field


class OfAccount(Schema):
    """Something of one account."""

    account: str = Field(description="the account's external_id")
    account_id: UUID = Field(description="the account's public_id")

    @staticmethod
    def resolve_account(row: Any) -> str:
        return str(row.account.external_id)

    @staticmethod
    def resolve_account_id(row: Any) -> UUID:
        found: UUID = row.account.public_id
        return found


class Changing(Schema):
    """A mirrored row."""

    updated_at: datetime = Field(description="when this row last changed here, for `updated_since`")


class ContactOut(OfAccount, Changing):
    public_id: UUID
    external_id: str
    email: str
    name: str
    role: str
    language: str
    is_champion: bool
    left_at: datetime | None
    created_at: datetime
    traits: dict[str, Any]


class SubscriptionOut(OfAccount, Changing):
    public_id: UUID
    external_id: str
    plan: str | None
    status: str = Field(description="active or canceled")
    mrr_minor: int
    currency: str
    seats: int | None
    billing_interval: str
    term_months: int | None
    started_at: datetime
    ended_at: datetime | None
    renews_at: datetime | None
    ended_reason: str
    ended_cause: str
    properties: dict[str, Any]

    @staticmethod
    def resolve_plan(row: Any) -> str | None:
        return row.plan.name if row.plan else None


class TicketOut(OfAccount, Changing):
    public_id: UUID
    external_id: str
    contact: str | None = Field(description="the contact's external_id")
    subject: str
    opened_at: datetime
    closed_at: datetime | None
    priority: str
    satisfaction: float | None = Field(description="1 to 5, higher is better")
    properties: dict[str, Any]

    @staticmethod
    def resolve_contact(row: Any) -> str | None:
        return row.contact.external_id if row.contact else None


class InvoiceOut(OfAccount, Changing):
    public_id: UUID
    external_id: str
    subscription: str | None = Field(description="the subscription's external_id")
    amount_minor: int
    currency: str
    status: str = Field(description="draft, open, paid, void or uncollectible")
    due_at: datetime
    paid_at: datetime | None
    properties: dict[str, Any]

    @staticmethod
    def resolve_subscription(row: Any) -> str | None:
        return row.subscription.external_id if row.subscription else None


class NoteOut(OfAccount):
    public_id: UUID
    author: str | None = Field(description="mail address of who wrote it; null: written by an API key")
    body: str
    is_pinned: bool
    created_at: datetime

    @staticmethod
    def resolve_author(row: Any) -> str | None:
        return row.author.email if row.author else None


class ActivityOut(OfAccount):
    public_id: UUID
    kind: str
    is_touch: bool = Field(description="contact between the team and the customer")
    contact: str | None = Field(description="the contact's external_id")
    author: str | None = Field(description="mail address of who wrote it; null: the system or an API key")
    title: str
    body: str
    occurred_at: datetime

    @staticmethod
    def resolve_contact(row: Any) -> str | None:
        return row.contact.external_id if row.contact else None

    @staticmethod
    def resolve_author(row: Any) -> str | None:
        return row.author.email if row.author else None


class SegmentOut(Schema):
    public_id: UUID
    name: str
    description: str
    members: int = Field(description="accounts in it, as last written")
    created_at: datetime


class MemberOut(OfAccount):
    name: str = Field(description="the account's name")
    entered_at: datetime

    @staticmethod
    def resolve_name(row: Any) -> str:
        return str(row.account.name)


class ErasureOut(Schema):
    """Erasure is a job; it is done within minutes."""

    contact_id: UUID
    status: str = Field(description="waiting, done or failed")
    requested_at: datetime
