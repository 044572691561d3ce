"""The forms of the page of all scorecards."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import Segment
from health.models import Scorecard, ScorecardVersion
from health.services.cards import Place


class _VersionChoice(forms.ModelChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: Any) -> str:
        return str(obj.scorecard.name)


class NewCardForm(forms.Form):
    """A card for a segment, begun as a copy."""

    name = forms.CharField(label=_("Name"), max_length=100)
    segment: forms.ModelChoiceField[Segment] = forms.ModelChoiceField(
        label=_("For the segment"), queryset=None, to_field_name="public_id"
    )
    copy_of = _VersionChoice(label=_("Begin as a copy of"), queryset=None, to_field_name="public_id")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["segment"].queryset = Segment.objects.order_by("name")  # type: ignore[attr-defined]
        versions = ScorecardVersion.objects.filter(published_at__isnull=False)
        newest = versions.order_by("scorecard_id", "-number").distinct("scorecard_id").values("pk")
        self.fields["copy_of"].queryset = (  # type: ignore[attr-defined]
            ScorecardVersion.objects.filter(pk__in=newest)
            .select_related("scorecard")
            .order_by("scorecard__position")
        )

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"].strip()
        if Scorecard.objects.filter(name=name, retired_at__isnull=True).exists():
            raise forms.ValidationError(_("There is a scorecard of this name already."))
        return name


@dataclass
class ArrangementForm:
    """Name, turn, segment and use of every card, by public id; what was typed stays in `typed`."""

    cards: list[Scorecard]
    typed: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    def places(self) -> list[Place] | None:
        """The arrangement, or None with `errors` by public id."""
        segments = {str(row.public_id): row.pk for row in Segment.objects.all()}
        found = [place for card in self.cards if (place := self._place(card, segments))]
        self._check_names(found)
        return None if self.errors else found

    def _place(self, card: Scorecard, segments: dict[str, int]) -> Place | None:
        key = str(card.public_id)
        name = self.typed.get(f"name-{key}", card.name).strip()
        position = self.typed.get(f"position-{key}", str(card.position)).strip()
        is_default = card.segment_id is None and card.retired_at is None
        segment_id = None if is_default else segments.get(self.typed.get(f"segment-{key}", ""))
        is_retired = not is_default and self.typed.get(f"retired-{key}") == "1"
        if not name or len(name) > 100:
            self.errors[key] = gettext("Give the card a name of at most 100 characters.")
        elif not position.isdecimal() or int(position) > 1000:
            self.errors[key] = gettext("Enter its turn as a whole number from 0 to 1,000.")
        elif not is_default and segment_id is None:
            self.errors[key] = gettext("Choose a segment.")
        else:
            return Place(card.pk, name, int(position), segment_id, is_retired)
        return None

    def _check_names(self, found: list[Place]) -> None:
        by_pk = {card.pk: str(card.public_id) for card in self.cards}
        seen: set[str] = set()
        for place in found:
            if not place.is_retired and place.name in seen:
                self.errors[by_pk[place.card_id]] = gettext("There is a scorecard of this name already.")
            seen |= set() if place.is_retired else {place.name}
