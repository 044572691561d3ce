"""The workspace's policy: in force, drafted, published, rolled back. A published version is never edited."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.services import versions
from dunning.models import DunningPolicy, DunningPolicyVersion
from dunning.policy.definition import PolicyDefinition
from dunning.policy.parsing import parse_policy


@transaction.atomic
def the_policy() -> DunningPolicy:
    """The workspace's policy; the first one to ask puts the defaults in force as version 1."""
    policy, is_new = DunningPolicy.objects.get_or_create()
    if is_new:
        DunningPolicyVersion.objects.create(
            policy=policy,
            number=1,
            definition=PolicyDefinition.defaults().to_json(),
            published_at=timezone.now(),
        )
    return policy


def version_in_force() -> DunningPolicyVersion:
    """What a case that opens now keeps for its whole life."""
    version = versions.newest_published(DunningPolicyVersion, the_policy())
    if version is None:
        raise LookupError("a policy is made together with its first version")
    return version


def definition_of(version: DunningPolicyVersion) -> PolicyDefinition:
    """The frozen definition of a version."""
    return PolicyDefinition.of_json(version.definition)


def draft_of(policy: DunningPolicy) -> DunningPolicyVersion | None:
    return versions.draft_of(DunningPolicyVersion, policy)


def save_draft(
    *, policy: DunningPolicy, definition: Mapping[str, Any], acting_user: User | None
) -> DunningPolicyVersion:
    """Keep what was typed, mistakes included, as the one draft."""
    return versions.save_draft(
        DunningPolicyVersion, parent=policy, definition=definition, acting_user=acting_user
    )


def discard_draft(*, policy: DunningPolicy, acting_user: User | None) -> None:
    versions.discard_draft(DunningPolicyVersion, parent=policy, acting_user=acting_user)


@transaction.atomic
def publish(
    *,
    policy: DunningPolicy,
    definition: Mapping[str, Any],
    note: str,
    acting_user: User | None,
    now: datetime,
) -> DunningPolicyVersion:
    """Put a definition in force for cases that open from now on. Raises PolicyError with every mistake."""
    clean = parse_policy(dict(definition)).to_json()
    return versions.publish(
        DunningPolicyVersion, parent=policy, definition=clean, note=note, acting_user=acting_user, now=now
    )


def roll_back(
    *, version: DunningPolicyVersion, acting_user: User | None, now: datetime
) -> DunningPolicyVersion:
    """Publish an older version's definition again, as a new version."""
    return versions.roll_back(version=version, acting_user=acting_user, now=now)
