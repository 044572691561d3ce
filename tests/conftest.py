"""Fixtures that every test may use: the servers and the cast."""

from dataclasses import dataclass

import pytest

from accounts.models import Membership, Role, User, Workspace
from cs_platform.lib.scoping import workspace_scope
from tests.builders import join, make_user, make_workspace
from tests.chromium import chromium
from tests.fake_stripe.running import fake_stripe, fake_stripe_process
from tests.stack import django_db_setup, valkey, valkey_server
from tests.workers import real_worker

__all__ = [
    "chromium",
    "django_db_setup",
    "fake_stripe",
    "fake_stripe_process",
    "real_worker",
    "valkey",
    "valkey_server",
]


@dataclass(frozen=True)
class Cast:
    """Ada owns Acme, Ben is its CSM, Vera may look; Zoe owns another workspace."""

    workspace: Workspace
    ada: User
    ben: Membership
    vera: Membership
    zoe: User
    other: Workspace


@pytest.fixture
def cast(db: None) -> Cast:
    ada, zoe = make_user("Ada"), make_user("Zoe")
    workspace, other = make_workspace("acme", owner=ada), make_workspace("zorg", owner=zoe)
    ben, vera = join(workspace, "Ben", Role.CSM), join(workspace, "Vera", Role.VIEWER)
    return Cast(workspace, ada, ben, vera, zoe, other)


@pytest.fixture
def scope(cast: Cast):
    """The test runs inside Acme's scope."""
    with workspace_scope(cast.workspace.pk):
        yield cast
