"""The workspace's policy: in force, drafted, published, rolled back. A published version is never edited."""

from __future__ import annotations

import hashlib
import json
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


class ChangedMeanwhile(Exception):
    """Somebody else published or saved another draft since the page was opened; nothing was written.

    `version` is theirs: published, or still a draft; `created_by` of a draft is who wrote it last.
    """

    def __init__(self, version: DunningPolicyVersion) -> None:
        self.version = version
        super().__init__(f"version {version.number} was written meanwhile")


def state_of(live: DunningPolicyVersion, draft: DunningPolicyVersion | None) -> str:
    """What a page was opened on, as a short text that it sends back: the version in force and the draft's words."""
    if draft is None:
        return f"{live.number}."
    words = json.dumps(draft.definition, sort_keys=True, ensure_ascii=False).encode()
    return f"{live.number}.{hashlib.blake2b(words, digest_size=8).hexdigest()}"


def check_state(*, policy: DunningPolicy, seen: str, acting_user: User | None) -> None:
    """Raise ChangedMeanwhile if somebody else's work would be overwritten; `seen` is `state_of` of the page, "" asks
    for nothing. Locks the policy, so that nobody comes in between. One's own draft is never in one's way."""
    DunningPolicy.objects.select_for_update().get(pk=policy.pk)
    live, draft = version_in_force(), draft_of(policy)
    if not seen or seen == state_of(live, draft):
        return
    if seen.partition(".")[0] != str(live.number):
        raise ChangedMeanwhile(live)
    if draft is not None and draft.created_by_id != (acting_user.pk if acting_user else None):
        raise ChangedMeanwhile(draft)


@transaction.atomic
def save_draft(
    *, policy: DunningPolicy, definition: Mapping[str, Any], acting_user: User | None, seen: str = ""
) -> DunningPolicyVersion:
    """Keep what was typed, mistakes included, as the one draft, in the name of who typed last.

    Raises ChangedMeanwhile where that would overwrite what another person wrote since `seen`.
    """
    check_state(policy=policy, seen=seen, acting_user=acting_user)
    draft = versions.save_draft(
        DunningPolicyVersion, parent=policy, definition=definition, acting_user=acting_user
    )
    if acting_user is not None and draft.created_by_id != acting_user.pk:
        draft.created_by = acting_user
        draft.save(update_fields=["created_by"])
    return draft


@transaction.atomic
def discard_draft(*, policy: DunningPolicy, acting_user: User | None, seen: str = "") -> None:
    """Throw the draft away. Raises ChangedMeanwhile where it is not the one that was seen."""
    check_state(policy=policy, seen=seen, acting_user=acting_user)
    versions.discard_draft(DunningPolicyVersion, parent=policy, acting_user=acting_user)


@transaction.atomic
def publish(
    *,
    policy: DunningPolicy,
    definition: Mapping[str, Any],
    note: str,
    acting_user: User | None,
    now: datetime,
    seen: str = "",
) -> DunningPolicyVersion:
    """Put a definition in force for cases that open from now on.

    Raises PolicyError with every mistake, and ChangedMeanwhile as `save_draft` does.
    """
    clean = parse_policy(dict(definition)).to_json()
    check_state(policy=policy, seen=seen, acting_user=acting_user)
    return versions.publish(
        DunningPolicyVersion, parent=policy, definition=clean, note=note, acting_user=acting_user, now=now
    )


def roll_back(
    *, version: DunningPolicyVersion, acting_user: User | None, now: datetime
) -> DunningPolicyVersion:
    """Publish an older version's definition again, as a new version."""
    return versions.roll_back(version=version, acting_user=acting_user, now=now)
