"""What rules may ask of an account by its failed payments."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.registry import segment_fields
from accounts.segments.fields import FieldKind, Moment, SegmentField
from dunning.models import DunningCase
from dunning.policy.classes import CLASS_WORDS

GROUP = _("Failed payments")


def _open_cases(moment: Moment) -> Any:
    return DunningCase.objects.filter(state="open")


def _classes() -> list[tuple[str, str]]:
    return [(str(name), str(label)) for name, label in CLASS_WORDS.items()]


def register() -> None:
    segment_fields.register(
        SegmentField(
            "has_open_case",
            _("Has a failed payment"),
            GROUP,
            FieldKind.BOOLEAN,
            "id",
            _open_cases,
            optional=False,
            help=_("A case of a failed payment is open."),
        )
    )
    segment_fields.register(
        SegmentField(
            "failed_payment_class",
            _("Kind of refusal"),
            GROUP,
            FieldKind.CHOICE,
            "decline_class",
            _open_cases,
            choices=_classes,
            is_closed=True,
            help=_("Of an open failed payment."),
        )
    )
    segment_fields.register(
        SegmentField(
            "failed_payment_since",
            _("Payment failed on"),
            GROUP,
            FieldKind.DATE,
            "failed_at",
            _open_cases,
            help=_("Of an open failed payment."),
        )
    )
