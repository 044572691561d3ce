"""The first owner of a fresh installation.

A fresh installation that can be reached must not fall to whoever comes first. So the set-up page asks for a code
that only somebody with the server's output or shell has (`manage.py setup_link`; the server prints one when it
starts without a user). 256 bits, stored as a hash, valid for a day, and only while there is no user at all.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from django.db import connection, transaction

from accounts.models import SetupCode, User, Workspace
from accounts.services.workspaces import create_workspace

LIFETIME = timedelta(hours=24)


class SetupClosed(Exception):
    """There is a user already, or the code is unknown or too old."""


def is_fresh() -> bool:
    """Whether this installation has no user yet."""
    return not User.objects.exists()


@transaction.atomic
def new_setup_code(*, now: datetime) -> str:
    """A code for the set-up page; earlier ones stay valid for their day. Raises SetupClosed."""
    if not is_fresh():
        raise SetupClosed
    SetupCode.objects.filter(expires_at__lte=now).delete()
    code = secrets.token_urlsafe(32)
    SetupCode.objects.create(code_hash=_hashed(code), created_at=now, expires_at=now + LIFETIME)
    return code


def is_valid(code: str, *, now: datetime) -> bool:
    """Whether the code opens the set-up page."""
    return is_fresh() and SetupCode.objects.filter(code_hash=_hashed(code), expires_at__gt=now).exists()


def set_up(
    *,
    code: str,
    email: str,
    name: str,
    password: str,
    language: str,
    workspace_name: str,
    slug: str,
    time_zone: str,
    currency: str,
    now: datetime,
) -> tuple[User, Workspace]:
    """The first user and workspace, once. Raises SetupClosed, also for the second of two at the same moment."""
    with transaction.atomic():
        _hold_off_other_users()
        if not is_valid(code, now=now):
            raise SetupClosed
        owner = User.objects.create_user(email, password, name=name, language=language, time_zone="")
        EmailAddress.objects.create(user=owner, email=owner.email, verified=True, primary=True)
        workspace = create_workspace(
            slug=slug,
            name=workspace_name,
            owner=owner,
            acting_user=owner,
            time_zone=time_zone,
            language=language,
            report_currency=currency,
        )
        SetupCode.objects.all().delete()
    return owner, workspace


def _hold_off_other_users() -> None:
    """Nobody, by whatever way, makes a user between our look and our commit."""
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE accounts_user IN SHARE ROW EXCLUSIVE MODE")


def _hashed(code: str) -> bytes:
    return hashlib.sha256(code.encode(errors="replace")).digest()
