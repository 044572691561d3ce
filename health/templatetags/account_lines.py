"""Lines of the two long lists of accounts, the queue and the accounts themselves.

    {% queue_lines rows %}<tr id="row-{% slot 'id' %}">…</tr>{% endqueue_lines %}

What stands between the tags is rendered once; {% slot %} marks where a line's own values go. The values of a
line are named in `_queue_line` and `_account_line`.
"""

from collections.abc import Iterable
from datetime import date, datetime

from django import template
from django.template.context import Context
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from accounts.templatetags.ui import band, delta, initials, sparkline, time_ago
from cs_platform.lib.formats import DASH, money_short, number, percent
from cs_platform.lib.markup import filled, markup, slot
from health.models import AccountState
from health.queries.causes import Cause
from health.queries.expected_loss import ExpectedLoss
from health.queries.queue import QueueRow

MOST_CAUSES = 3  # further ones are counted
register = template.Library()
register.simple_tag(slot)


@register.simple_block_tag(takes_context=True)
def queue_lines(context: Context, content: str, rows: Iterable[QueueRow]) -> SafeString:
    now = context.get("now") or timezone.now()
    return filled(content, (_queue_line(row, now) for row in rows))


@register.simple_block_tag(takes_context=True)
def account_lines(context: Context, content: str, states: Iterable[AccountState]) -> SafeString:
    now = context.get("now") or timezone.now()
    return filled(content, (_account_line(state, now) for state in states))


def _queue_line(row: QueueRow, now: datetime) -> dict[str, object]:
    state, loss = row.state, row.loss
    return {
        "id": row.public_id,
        "name": row.account.name,
        "plan": _joined(state.plan or DASH, state.industry),
        "band": band(state.health_band, state.health_score),
        "change": _change(state.health_change),
        "causes": _causes(row.causes),
        "held_out": _held_out(row),
        "back": _back(row.snoozed_until, now),
        "loss": money_short(loss.total_minor, loss.currency),
        "loss_terms": _terms(loss),
        "trend": _trend(state),
        "renewal": time_ago(state.renews_at, now),
        "csm": _csm(row.csm_name, row.csm_name),
    }


def _account_line(state: AccountState, now: datetime) -> dict[str, object]:
    return {
        "id": str(state.account.public_id),
        "name": state.name,
        "plan": _joined(state.plan or DASH, state.industry, "" if state.is_customer else gettext("lapsed")),
        "band": band(state.health_band, state.health_score),
        "trend": _trend(state),
        "probability": percent(state.churn_probability, 1),
        "arr": money_short(state.arr_minor, state.currency),
        "loss": money_short(state.expected_loss_minor, state.currency),
        "renewal": time_ago(state.renews_at, now),
        "seen": time_ago(state.last_seen_on, now),
        "csm": _csm(str(state.csm), state.csm.user.name or state.csm.user.email)
        if state.csm
        else _csm("", ""),
    }


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


def _change(points: float | None) -> SafeString | str:
    if points is None:
        return ""
    return markup('<span class="phone-hide small">{}</span>', delta(points))


def _causes(causes: tuple[Cause, ...]) -> SafeString:
    form = '<span class="badge {}" title="{}">{}</span>'
    badges = [markup(form, one.tone, one.sentence, one.chip) for one in causes[:MOST_CAUSES]]
    if len(causes) > MOST_CAUSES:
        badges.append(markup('<span class="muted small">+{}</span>', len(causes) - MOST_CAUSES))
    return markup("{}" * len(badges), *badges)


def _held_out(row: QueueRow) -> str:
    if not row.held_out:
        return ""
    return render_to_string("health/parts/held_out_badge.html", {"held_out": row.held_out})


def _back(until: date | None, now: datetime) -> SafeString | str:
    if not until:
        return ""
    return markup('<span class="sub">{} {}</span>', gettext("Back"), time_ago(until, now))


def _terms(loss: ExpectedLoss) -> str:
    """How the expected loss comes about: probability × ARR × urgency."""
    if loss.probability is None:
        return gettext("no score yet")
    about = "≈ " if loss.stands_in else ""
    listed = f" {gettext('list price')}" if loss.is_list_price else ""
    arr = money_short(loss.arr_minor, loss.currency)
    return f"{about}{percent(loss.probability, 1)} × {arr}{listed} × {number(loss.urgency, 2)}"


def _trend(state: AccountState) -> SafeString:
    label = gettext("Health score, 12 weeks")
    return sparkline(state.sparkline, label, state.health_band, 88, 24, 30)


def _csm(who: str, name: str) -> SafeString:
    """The letters of `name`, with `who` on hover."""
    if not who:
        return markup('<span class="muted">{}</span>', gettext("Nobody"))
    return markup(
        '<span class="avatar-mark" title="{0}" role="img" aria-label="{0}">{1}</span>', who, initials(name)
    )
