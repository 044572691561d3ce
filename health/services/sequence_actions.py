"""What steps do inside the product: ask the CSM, change a trait, assign."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Count, Q
from django.utils.translation import gettext

from accounts.models import Account, Membership, Role, TraitDefinition
from accounts.services.traits import define_traits, write_traits
from health.sequences.spec import PreviewContext, StepContext, StepPreview, StepResult
from health.services.queue import assign_accounts
from health.services.sequence_asks import ask

FEWEST = "fewest"


def ask_csm(context: StepContext) -> StepResult:
    """A queue item with the step's words."""
    item = ask(context.run, context.step_id, context.values, now=context.now)
    return StepResult(queue_item_id=item.pk)


def ask_csm_words(values: Mapping[str, Any]) -> str:
    return gettext("Ask the CSM: %(title)s") % {"title": values.get("title", "")}


def ask_csm_preview(context: PreviewContext) -> StepPreview:
    csm = context.account.csm
    return StepPreview(
        ask_csm_words(context.values), person=str(csm) if csm else gettext("nobody is assigned")
    )


def change_trait(context: StepContext) -> StepResult:
    """A new dated value of a trait; the same value again writes nothing."""
    key, text = context.values["trait"], context.values["value"]
    kind, value, number = _typed(key, text)
    definitions, _fresh = define_traits({key: kind}, is_dated=True)
    definition = definitions[key]
    number = None if definition.kind == TraitDefinition.Kind.TEXT else number
    changed = write_traits(
        [(context.run.account_id, definition.pk, value, number)],
        first_known_at=context.now,
        known_at=context.now,
    )
    return StepResult({"trait": key}, is_skipped=not changed)


def _typed(key: str, text: str) -> tuple[str, str, float | None]:
    """Kind, text and number for what was typed; a trait that is not a number yet is text."""
    known = TraitDefinition.objects.filter(key=key).first()
    try:
        number = float(text)
    except ValueError:
        return TraitDefinition.Kind.TEXT, text, None
    if known is not None and known.kind != TraitDefinition.Kind.NUMBER:
        return TraitDefinition.Kind.TEXT, text, None
    return TraitDefinition.Kind.NUMBER, text, number


def change_trait_words(values: Mapping[str, Any]) -> str:
    return gettext("Set %(trait)s to “%(value)s”") % {
        "trait": values.get("trait", ""),
        "value": values.get("value", ""),
    }


def change_trait_preview(context: PreviewContext) -> StepPreview:
    return StepPreview(change_trait_words(context.values))


def assign(context: StepContext) -> StepResult:
    """Hand the account over; one that has a CSM keeps it where the step says so."""
    account: Account = Account.objects.get(pk=context.run.account_id)
    if account.csm_id is not None and context.values["only_empty"]:
        return StepResult({"why": "has_csm"}, is_skipped=True)
    csm = _csm(context.values["csm"])
    if csm is None:
        return StepResult({"why": "no_csm"}, is_skipped=True)
    if csm.pk == account.csm_id:
        return StepResult({"why": "same_csm"}, is_skipped=True)
    assign_accounts(accounts=[account], csm=csm, acting_user=None, now=context.now)
    return StepResult({"csm": str(csm.public_id)})


def _csm(wanted: str) -> Membership | None:
    """The chosen member, or the one with the most room; None where nobody is there."""
    members = Membership.objects.filter(is_active=True).select_related("user")
    if wanted != FEWEST:
        found: Membership | None = members.filter(public_id=wanted).first()
        return found
    members = members.filter(role=Role.CSM)
    counted = dict(
        Account.objects.filter(csm__in=members)
        .order_by()
        .values_list("csm")
        .annotate(n=Count("pk", filter=Q(state__is_customer=True)))
    )
    rows = [(counted.get(m.pk, 0) / (m.capacity_accounts or 100), m.pk, m) for m in members]
    return min(rows)[2] if rows else None


def assign_words(values: Mapping[str, Any]) -> str:
    if values.get("csm") == FEWEST:
        return gettext("Assign to the CSM with the most room")
    member = _csm(str(values.get("csm", ""))) if values.get("csm") else None
    return gettext("Assign to %(csm)s") % {"csm": member or gettext("a member who is not here any more")}


def assign_preview(context: PreviewContext) -> StepPreview:
    words = context.once(f"assign:{context.values['csm']}", lambda: assign_words(context.values))
    if context.account.csm_id is not None and context.values["only_empty"]:
        return StepPreview(words, problem=gettext("The account has a CSM and keeps it."))
    return StepPreview(words)


def csm_choices() -> list[tuple[str, Any]]:
    members = Membership.objects.filter(is_active=True).exclude(role=Role.VIEWER).select_related("user")
    return [(FEWEST, gettext("the CSM with the most room"))] + [
        (str(member.public_id), str(member)) for member in members.order_by("user__name", "pk")
    ]
