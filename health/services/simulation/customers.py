"""Accounts with their traits, and the people there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from django.utils import timezone
from psycopg.types.json import Jsonb

from accounts.models import Account, AccountTrait, Contact, ContactRole, TraitDefinition
from cs_platform.lib.bulk import upsert
from health.services.simulation.identities import Target
from health.simulation.people import SimulatedContact

_ROLES = {"executive sponsor": ContactRole.EXECUTIVE}


def write_accounts(target: Target) -> int:
    """Accounts, assigned to the workspace's CSMs, and their traits."""
    now = timezone.now()
    columns = [
        "public_id",
        "external_id",
        "name",
        "domain",
        "industry",
        "country",
        "csm_id",
        "created_at",
        "is_start_assumed",
        "added_at",
    ]
    rows = []
    for item in target.business.accounts:
        csm = target.csm(item.csm)
        rows.append(
            (
                uuid4(),
                item.external_id,
                item.name,
                item.domain,
                item.industry,
                item.country,
                csm.pk if csm else None,
                item.created_at,
                False,
                now,
            )
        )
    written = upsert(Account._meta.db_table, columns, rows, key=["external_id"], update=[])
    _write_traits(target)
    return written


def _write_traits(target: Target) -> None:
    """What the vendor's sales team wrote down when the account began."""
    kinds = TraitDefinition.Kind
    for key, label, kind, value in (
        ("employees", "Employees", kinds.NUMBER, lambda item: (str(item.employees), float(item.employees))),
        ("acquisition_channel", "Acquisition channel", kinds.TEXT, lambda item: (item.channel, None)),
        ("guided_setup", "Guided set-up", kinds.BOOLEAN, lambda item: _yes_or_no(item.has_guided_setup)),
    ):
        definition, _ = TraitDefinition.objects.get_or_create(
            key=key, defaults={"label": label, "kind": kind, "is_dated": True}
        )
        rows = [
            (int(account_id), definition.pk, *value(item), item.created_at)
            for account_id, item in zip(target.account_ids, target.business.accounts, strict=True)
        ]
        names = ["account_id", "definition_id", "value_text", "value_number", "known_at"]
        key_names = ["account_id", "definition_id", "known_at"]
        upsert(AccountTrait._meta.db_table, names, rows, key=key_names, update=[])


def _yes_or_no(value: bool) -> tuple[str, float]:
    return ("true", 1.0) if value else ("false", 0.0)


def write_contacts(target: Target) -> int:
    """The people, with the day on which some of them left."""
    columns = [
        "public_id",
        "account_id",
        "external_id",
        "email",
        "name",
        "role",
        "language",
        "is_champion",
        "left_at",
        "traits",
        "created_at",
    ]
    return upsert(
        Contact._meta.db_table, columns, list(_contact_rows(target)), key=["external_id"], update=["left_at"]
    )


def _contact_rows(target: Target) -> Iterator[tuple[Any, ...]]:
    spec, accounts = target.business.spec, target.business.accounts
    for item in target.business.contacts:
        account = accounts[item.account]
        yield (
            uuid4(),
            int(target.account_ids[item.account]),
            item.external_id,
            item.email,
            item.name,
            str(_ROLES.get(item.role, item.role)),
            item.language,
            item.is_champion,
            _left_at(item, target),
            Jsonb({}),
            spec.moment(item.joined_day, (9 - account.utc_offset_hours) * 3600),
        )


def _left_at(item: SimulatedContact, target: Target) -> Any:
    """Start of the local day from which the person is gone, None while still there at the end."""
    spec = target.business.spec
    if item.left_day > spec.days - 1:
        return None
    return spec.moment(item.left_day, -target.business.accounts[item.account].utc_offset_hours * 3600)
