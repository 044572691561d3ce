"""Why a mail went, waits or did not go, in words."""

from __future__ import annotations

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import MailCategory, Motion

_WORDS: dict[str, str | Promise] = {
    "free": _("Nothing spoke against it."),
    "transactional": _("A transactional mail: it always goes, unless the address does not exist."),
    "no_address": _("No mail address is known."),
    "left": _("The person has left the customer."),
    "hard_bounce": _("The address does not exist: an earlier mail came back."),
    "complaint": _("The person marked an earlier mail as spam."),
    "unsubscribed": _("The person unsubscribed from all optional mails."),
    "soft_bounces": _("The mailbox refused three mails in a row; optional mails rest for a while."),
    "paused": _("The person asked for a break from optional mails."),
    "manual": _("Your team has stopped mails to this address."),
    "more_important": _("A more important mail to the same person is waiting and goes first."),
    "floor": _("The person got another mail within the last 24 hours."),
    "quiet_hours": _("It is evening or night where the person is (20:00 to 08:00)."),
    "weekend": _("It is the weekend where the person is."),
    "holiday": _("It is a holiday."),
    "event_survey": _("The last survey after an event is less than 14 days old."),
    "same_survey": _("The person was asked in the same survey less than 90 days ago."),
    "any_survey": _("The person was asked in another survey less than 30 days ago."),
    "not_wanted": _("What the mail was about is settled."),
    "not_rendered": _("The mail could not be put together."),
    "crashed": _("The worker was stopped during the hand-over."),
    "no_answer": _("The mail system did not answer after the hand-over."),
    "recipient_refused": _("The mail system refused the recipient."),
    "unreachable": _("The mail system could not be reached."),
}


def reason_words(reason: str, detail: str = "") -> str:
    """One sentence for a reason code; an unknown one stands for itself."""
    if reason == "held":
        motion = Motion(detail).label if detail in Motion.values else detail
        return gettext("Something more important is going on with this person: %(motion)s.") % {
            "motion": motion
        }
    if reason == "unsubscribed_category":
        kind = MailCategory(detail).label if detail in MailCategory.values else detail
        return gettext("The person switched off this kind of mail: %(kind)s.") % {"kind": kind}
    words: Any = _WORDS.get(reason)
    return str(words) if words is not None else reason
