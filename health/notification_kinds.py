"""What this app tells members about, and what it tells the outside world."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.registry import NotificationKind, WebhookEvent, notification_kinds, webhook_events
from health import news

Context = dict[str, Any]
Words = Callable[[Context, Any], tuple[str, str]]

_ACCOUNT = {
    "account": "public id of the account",
    "external_id": "the account's id in your own records",
    "name": "name of the account",
    "as_of": "local date of the night that found it",
}


def register() -> None:
    _own_accounts()
    _machinery()
    _events()


def _own_accounts() -> None:
    _kind(
        news.RED,
        _("Accounts that turned red"),
        _("The health score of accounts of yours fell below the red line."),
        _turned_red,
        "trending-down",
        "/queue/?csm=mine&band=red",
        10,
    )
    _kind(
        news.RISKS,
        _("New serious risks"),
        _("A rule of high severity found something at accounts of yours."),
        _risks,
        "triangle-alert",
        "/queue/?csm=mine",
        15,
    )
    _kind(
        news.CHURNED,
        _("Accounts that left"),
        _("The last subscription of an account of yours has ended."),
        _churned,
        "door-open",
        "/accounts/?csm=mine",
        18,
    )


def _machinery() -> None:
    notification_kinds.register(
        NotificationKind(
            news.NIGHT_FAILED,
            _("Nightly run failed"),
            _("A stage of the nightly run was given up after several tries."),
            words=lambda context, account: (gettext("Nightly run failed"), context["as_of"]),
            address=lambda context, account: reverse("health:run", args=[context["night"]]),
            icon="circle-alert",
            permission="health.configure",
            order=65,
        )
    )
    notification_kinds.register(
        NotificationKind(
            news.TRAINED,
            _("Churn model trained"),
            _("A new version of the churn model went live, or was not good enough."),
            words=_trained,
            address=lambda context, account: reverse("health:model_version", args=[context["version"]]),
            icon="beaker",
            permission="health.configure",
            in_digest=False,
            order=68,
        )
    )


def _kind(name: str, label: Any, description: Any, words: Words, icon: str, several: str, order: int) -> None:
    """A kind about one's own accounts: one leads to its page, several to the list."""
    notification_kinds.register(
        NotificationKind(
            name,
            label,
            description,
            words=words,
            address=lambda context, account: f"/accounts/{account.public_id}/" if account else several,
            icon=icon,
            permission="queue.work",
            order=order,
        )
    )


def _events() -> None:
    bands = {
        "band_before": "red, yellow or green",
        "band": "red, yellow or green",
        "score_before": "0 to 100",
        "score": "0 to 100",
    }
    cause = {"cause": "the rule's name"}
    for name, label, more in (
        (news.BAND_EVENT, _("The health band of an account changed"), bands),
        (news.RISK_EVENT, _("A rule found a problem"), {**cause, "severity": "1 low, 2 medium, 3 high"}),
        (news.RISK_CLOSED_EVENT, _("A problem is gone"), cause),
        (news.CHURN_EVENT, _("The last subscription of an account ended"), {}),
    ):
        webhook_events.register(WebhookEvent(name, label, {**_ACCOUNT, **more}))


def _names(context: Context) -> str:
    names = ", ".join(context["names"])
    more = context["count"] - len(context["names"])
    return f"{names} +{more}" if more else names


def _turned_red(context: Context, account: Any) -> tuple[str, str]:
    count = context["count"]
    title = ngettext("%(n)d of your accounts turned red", "%(n)d of your accounts turned red", count)
    return title % {"n": count}, _names(context)


def _risks(context: Context, account: Any) -> tuple[str, str]:
    count = context["count"]
    title = ngettext(
        "Serious new risk at %(n)d of your accounts", "Serious new risks at %(n)d of your accounts", count
    )
    return title % {"n": count}, _names(context)


def _churned(context: Context, account: Any) -> tuple[str, str]:
    count = context["count"]
    title = ngettext("%(n)d of your accounts has left", "%(n)d of your accounts have left", count)
    return title % {"n": count}, _names(context)


def _trained(context: Context, account: Any) -> tuple[str, str]:
    if context["live"]:
        return gettext("A new churn model is live"), gettext("Version %(n)d") % {"n": context["number"]}
    return gettext("The new churn model was not good enough"), gettext(
        "Version %(n)d; what was live stays live."
    ) % {"n": context["number"]}
