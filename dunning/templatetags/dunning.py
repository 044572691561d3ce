"""Words of cases in templates."""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from accounts.models import PaymentAttempt, PaymentMethod
from dunning.cases.state import Phase, State
from dunning.cases.words import PHASE_WORDS, STATE_WORDS, closing_words
from dunning.models import DunningCase
from dunning.policy.classes import CLASS_WORDS, DeclineClass
from dunning.policy.code_table import decline_rule
from dunning.queries import pay_methods

register = template.Library()

_TONES = {State.RECOVERED: "green", State.UNCOLLECTIBLE: "red", State.CANCELED: "quiet"}
_NEEDS_SOMEONE = {Phase.WAITING_FOR_CARD, Phase.WAITING_FOR_CONFIRMATION, Phase.CHECKING, Phase.STOPPED}


@register.simple_tag
def case_badge(case: DunningCase) -> SafeString:
    """What an open case waits for, or how a closed one ended."""
    if case.state == State.OPEN:
        tone = "yellow" if case.phase in _NEEDS_SOMEONE else "quiet"
        badge = format_html('<span class="badge {}">{}</span>', tone, PHASE_WORDS.get(case.phase, ""))
        if case.leaves_at is None:
            return badge
        return format_html('{} <span class="badge quiet">{}</span>', badge, gettext("leaves on purpose"))
    words = case.get_recovered_by_display() if case.recovered_by else closing_words(case.closing_reason)
    badge = format_html(
        '<span class="badge {}">{}</span>', _TONES[State(case.state)], STATE_WORDS[case.state]
    )
    return format_html('{} <span class="sub">{}</span>', badge, words) if words else badge


@register.filter
def refusal(case: DunningCase) -> str:
    """The kind of the last refusal; the code's own words where the class is not known."""
    if case.decline_class in set(DeclineClass):
        return str(CLASS_WORDS[DeclineClass(case.decline_class)])
    return str(decline_rule(case.decline_code).to_csm) if case.decline_code else ""


@register.filter
def paid_with(row: PaymentMethod | PaymentAttempt) -> str:
    """A payment method, or what a try was made with, by its name."""
    kind = row.method_kind if isinstance(row, PaymentAttempt) else row.kind
    return pay_methods.paid_with(kind, row.brand, row.last4)
