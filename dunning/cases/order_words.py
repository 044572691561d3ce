"""What the payment provider would not do, and what waits for a right of its key, in words for a CSM."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import OrderKind

# What a person has to do instead.
_INSTEAD: dict[str, Promise] = {
    OrderKind.TAKE_OVER: _(
        "Switch off the automatic collection of this invoice at the payment provider, or stop the case: until "
        "then both try to charge it."
    ),
    OrderKind.CANCEL: _("Cancel the subscription at the payment provider, or talk to the customer."),
    OrderKind.PAUSE: _("Pause the subscription at the payment provider, or talk to the customer."),
    OrderKind.UNCOLLECTIBLE: _("Mark the invoice uncollectible at the payment provider."),
    OrderKind.SET_METHOD: _("Make the new payment method the default at the payment provider."),
}
_WHY: dict[str, Promise] = {
    "resource_missing": _("it does not exist there (any more)"),
    "no_connection": _("no payment provider is connected"),
    "by_hand": _("no payment provider is connected"),
    "never_happened": _("it could not be done in time"),
    "invoice_not_editable": _("the invoice can no longer be changed"),
    "invoice_closed": _("the invoice is closed"),
    "payment_method_unactivated": _("the payment method is not usable"),
    "payment_method_customer_decline": _("the payment method is not usable"),
}


_NOBODY_ASKED = ("no_connection", "by_hand", "never_happened")  # no code of the provider's


def act_words(kind: str) -> str:
    """The act that was ordered."""
    return str(OrderKind(kind).label) if kind in OrderKind.values else kind.replace("_", " ")


def why_not_done(code: str) -> str:
    """Why the provider did not do it; a code that is not known is named."""
    if code in _NOBODY_ASKED:
        return str(_WHY[code])
    words = _WHY.get(code)
    return f"{words} ({code})" if words else gettext("it was refused (%(code)s)") % {"code": code or "?"}


def instead_words(kind: str) -> str:
    """What a person has to do instead."""
    return str(_INSTEAD.get(kind, _("Do it at the payment provider by hand.")))


def not_done_words(kind: str, code: str) -> str:
    """One sentence: the act and the reason."""
    return gettext("Not done by the payment provider: %(act)s – %(why)s.") % {
        "act": act_words(kind),
        "why": why_not_done(code),
    }


# What trying it again does, beside the act itself.
_AGAIN: dict[str, Promise] = {
    OrderKind.TAKE_OVER: _("From then on only the plan of this case charges the invoice."),
    OrderKind.CANCEL: _("The subscription ends at the payment provider at once, for the customer too."),
    OrderKind.PAUSE: _(
        "The payment provider stops collecting for the subscription until somebody resumes it."
    ),
    OrderKind.UNCOLLECTIBLE: _(
        "The invoice counts as lost at the payment provider. It can still be paid there."
    ),
    OrderKind.SET_METHOD: _(
        "The new payment method is charged from then on. What it was charged for already is not charged again at "
        "once: the plan of the case says when."
    ),
}
_NOT_AGAIN: dict[str, Promise] = {
    "under_way": _("It was tried again already. Its outcome appears on the case."),
    "settled": _("This refusal no longer stands. Nothing was ordered."),
    "needless": _("It is done already, or no longer needed. Nothing was ordered."),
    "no_connection": _("No payment provider is connected. Do it by hand."),
    "blocked": _("The bank refused this payment method for good. Ask the customer for another one."),
}


def again_words(kind: str) -> str:
    """What trying it again does."""
    return str(_AGAIN.get(kind, ""))


def not_again_words(code: str) -> str:
    """Why it is not tried again."""
    return str(_NOT_AGAIN[code])


def ordered_again_words(kind: str) -> str:
    """The line of the history, when a person has it tried again."""
    return gettext("Tried again: %(act)s.") % {"act": act_words(kind)}


def done_after_all_words(kind: str) -> str:
    """The line of the history, when the provider did it at another try."""
    return gettext("Done by the payment provider: %(act)s.") % {"act": act_words(kind)}
