"""This app's tables and what they may know of a person."""

from __future__ import annotations

from django.db.models import Q

from accounts.models import Contact
from accounts.privacy import Person, PersonKeys, person_keys, table
from health.models import UserAlias


def register() -> None:
    person_keys.register(PersonKeys("aliases", _aliases))
    _usage()
    _measures()
    _work()
    _experiments()


def _aliases(contact: Contact) -> set[str]:
    """Every key that `alias` calls tied to the person, followed in both directions."""
    keys = {contact.external_id}
    while True:
        rows = UserAlias.objects.filter(Q(key__in=keys) | Q(user_key__in=keys)).values_list("key", "user_key")
        found = keys | {key for pair in rows for key in pair}
        if found == keys:
            return keys
        keys = found


def _keys(person: Person) -> Q:
    return Q(user_key__in=person.keys)


def _usage() -> None:
    table(
        "health.event",
        person="user_key properties",
        code="message_hash",
        business="name group_key",
        of=lambda p: Q(contact_id=p.contact_id) | _keys(p),
        erase=lambda p: {"user_key": p.tombstone, "properties": None},
    )
    table("health.intakebatch", code="source")
    table("health.intakerefusal", code="endpoint field reason")
    table(
        "health.unattributeduser",
        person="user_key",
        business="group_key",
        of=_keys,
        erase=lambda p: None,
    )
    table(
        "health.useralias",
        person="key user_key",
        of=lambda p: Q(key__in=p.keys) | _keys(p),
        erase=lambda p: None,
    )
    table(
        "health.waitingidentity",
        person="user_key traits",
        business="group_key",
        of=_keys,
        erase=lambda p: None,
    )
    table("health.usagerollup", business="name")
    table("health.accountday")
    table(
        "health.contactdays",
        person="person_key",
        of=lambda p: Q(person_key__in=[str(p.contact_id), *(f"?{key}" for key in p.keys)]),
        erase=None,
        legal_basis="days of use, counted for the account; after an erasure they belong to the tombstone",
    )
    table("health.keyfeature", business="name label")


def _measures() -> None:
    table("health.metricposition", code="key")
    table("health.accountsnapshot")
    table("health.scorecard", business="name")
    table("health.scorecardversion", business="definition note")
    table("health.healthscore")
    table("health.modelversion", code="record artefact drift")
    table("health.churnprediction", code="reasons")
    table("health.accountstate", business="name plan industry country currency")
    table(
        "health.searchtoken",
        person="token",
        of=lambda p: Q(contact_id=p.contact_id),
        erase=lambda p: None,
    )


def _work() -> None:
    table("health.riskrule", code="cause parameters", business="instruction")
    table("health.risk", code="cause evidence")
    table("health.queueitem", code="source evidence")
    table("health.queueentry")
    table("health.snooze", free_text="note")
    table("health.resolution", free_text="note", code="sources")
    table("health.nightrun", code="result")
    table("health.stagerun", code="error")
    table("health.actionreceipt", code="data")
    table("health.sequence", business="name purpose", code="library_key")
    table("health.sequenceversion", business="definition note")
    table(
        "health.sequencerun",
        code="source end_reason",
        of=lambda p: Q(contact_id=p.contact_id),
        erase=lambda p: {},
    )
    table("health.steprun", code="kind", free_text="result")
    table("health.assignmentrule", business="name tree")
    table("health.assignmentrulemember")
    table("health.assignmentpolicy")


def _experiments() -> None:
    table("health.experiment", code="subject_type plan arr_edges seed", business="name")
    table("health.variant", code="name")
    table("health.assignment", code="stratum")
    table("health.exposure")
    table("health.exclusion", code="reason")
    table("health.outcome", code="source_type", business="currency")
