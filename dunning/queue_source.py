"""How a handed-over case reads in the queue."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cs_platform.lib.formats import money
from dunning.cases.order_words import instead_words, not_done_words
from dunning.cases.steps import LEAVES
from dunning.cases.words import decline_words
from dunning.queries.refused_orders import REFUSED_SOURCE
from dunning.services.handing_over import QUEUE_SOURCE
from health.registry import QueueSource, queue_sources


def register() -> None:
    queue_sources.register(
        QueueSource(
            QUEUE_SOURCE,
            _("Payment failed"),
            sentence=_sentence,
            instruction=_instruction,
            speaks_for="payment_failed",
        )
    )
    queue_sources.register(
        QueueSource(
            REFUSED_SOURCE,
            _("Not done by the payment provider"),
            sentence=_refused_sentence,
            instruction=_refused_instruction,
            chip=lambda evidence: gettext("Refused by the provider"),
        )
    )


def _refused_sentence(evidence: Any) -> str:
    return not_done_words(evidence.get("act", ""), evidence.get("code", ""))


def _refused_instruction(evidence: Any) -> str:
    return instead_words(evidence.get("act", ""))


def _sentence(evidence: Any) -> str:
    owed = money(evidence.get("amount_minor", 0), evidence.get("currency", ""))
    why = decline_words(evidence.get("decline_code", ""))
    return gettext("A payment of %(amount)s failed: %(why)s") % {"amount": owed, "why": why}


def _instruction(evidence: Any) -> str:
    at_stake = money(evidence.get("arr_minor", 0), evidence.get("arr_currency", ""))
    if evidence.get("reason") == "not_automatic":
        return gettext("Ask for the payment: no provider charges it. %(amount)s a year are at stake.") % {
            "amount": at_stake
        }
    if evidence.get("reason") == LEAVES:
        return gettext("They leave on purpose, so nobody is dunned: settle with them what is still owed.")
    if evidence.get("reason") == "nobody":
        return gettext("Nobody can be told of it: add a person with a mail address, or ring the account.")
    return gettext("Ask for another payment method. %(amount)s a year are at stake.") % {"amount": at_stake}
