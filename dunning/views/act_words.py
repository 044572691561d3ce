"""The acts on cases in words: what the form asks, what the button says, what the toast reports."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from cs_platform.lib.formats import money
from dunning.models import DunningCase


@dataclass(frozen=True)
class ActWords:
    """`one` and `done_one` name the account (%(name)s), the others count (%(count)d); `able` says how many can."""

    one: Promise
    many: Promise
    button: Promise
    explains: Promise
    able: Any
    done_one: Promise
    done: Any
    tone: str = "primary"

    def title(self, cases: list[DunningCase]) -> str:
        if len(cases) == 1:
            return str(self.one) % {"name": cases[0].account.name}
        return str(self.many) % {"count": len(cases)}

    def said(self, cases: list[DunningCase]) -> str:
        """The report after the act."""
        if len(cases) == 1:
            return str(self.done_one) % {"name": cases[0].account.name}
        return str(self.done % {"count": len(cases)})


WORDS: dict[str, ActWords] = {
    "retry": ActWords(
        one=_("Charge %(name)s now"),
        many=_("Charge %(count)d payments now"),
        button=_("Charge now"),
        explains=_("The payment provider is asked at once, whatever the schedule of the policy says."),
        able=ngettext_lazy("%(count)d payment can be charged", "%(count)d payments can be charged", "count"),
        done_one=_("%(name)s: the charge is on its way."),
        done=ngettext_lazy("%(count)d charge is on its way.", "%(count)d charges are on their way.", "count"),
    ),
    "stop": ActWords(
        one=_("Stop collecting from %(name)s"),
        many=_("Stop collecting %(count)d payments"),
        button=_("Stop"),
        explains=_("No retries and no notices until somebody resumes it. A charge on its way still ends."),
        able=ngettext_lazy("%(count)d case can be stopped", "%(count)d cases can be stopped", "count"),
        done_one=_("%(name)s: stopped."),
        done=ngettext_lazy("%(count)d case stopped.", "%(count)d cases stopped.", "count"),
    ),
    "resume": ActWords(
        one=_("Go on collecting from %(name)s"),
        many=_("Go on collecting %(count)d payments"),
        button=_("Resume"),
        explains=_("Retries and notices go on. An end that is near moves a week ahead."),
        able=ngettext_lazy("%(count)d case can go on", "%(count)d cases can go on", "count"),
        done_one=_("%(name)s: goes on."),
        done=ngettext_lazy("%(count)d case goes on.", "%(count)d cases go on.", "count"),
    ),
    "note": ActWords(
        one=_("Note on %(name)s"),
        many=_("Note on %(count)d cases"),
        button=_("Save note"),
        explains=_("It stands in the history of the case."),
        able=ngettext_lazy("%(count)d case gets the note", "%(count)d cases get the note", "count"),
        done_one=_("%(name)s: note saved."),
        done=ngettext_lazy("Note saved on %(count)d case.", "Note saved on %(count)d cases.", "count"),
    ),
    "hand_over": ActWords(
        one=_("Hand %(name)s to the CSM"),
        many=_("Hand %(count)d payments to the CSM"),
        button=_("Hand over"),
        explains=_("It appears in the queue with the ARR at stake. Retries and notices go on."),
        able=ngettext_lazy(
            "%(count)d case can be handed over", "%(count)d cases can be handed over", "count"
        ),
        done_one=_("%(name)s: in the queue now."),
        done=ngettext_lazy("%(count)d case in the queue now.", "%(count)d cases in the queue now.", "count"),
    ),
    "paid": ActWords(
        one=_("Mark the invoice of %(name)s as paid"),
        many=_("Mark %(count)d invoices as paid"),
        button=_("Mark as paid"),
        explains=_(
            "For money that came another way, where no payment provider is connected. It closes the case."
        ),
        able=ngettext_lazy("%(count)d invoice can be marked", "%(count)d invoices can be marked", "count"),
        done_one=_("%(name)s: marked as paid."),
        done=ngettext_lazy(
            "%(count)d invoice marked as paid.", "%(count)d invoices marked as paid.", "count"
        ),
    ),
    "close": ActWords(
        one=_("Give up the payment of %(name)s"),
        many=_("Give up %(count)d payments"),
        button=_("Close"),
        explains=_("Nothing further is tried or said. At the payment provider the invoice stays as it is."),
        able=ngettext_lazy("%(count)d case can be closed", "%(count)d cases can be closed", "count"),
        done_one=_("%(name)s: closed."),
        done=ngettext_lazy("%(count)d case closed.", "%(count)d cases closed.", "count"),
        tone="danger",
    ),
}


def sum_of(cases: Iterable[DunningCase]) -> str:
    """What is owed in these cases, currency by currency: never added across."""
    sums: dict[str, int] = {}
    for case in cases:
        sums[case.currency] = sums.get(case.currency, 0) + case.amount_minor
    return " + ".join(money(amount, currency) for currency, amount in sorted(sums.items()))
