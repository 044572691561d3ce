"""Days on which the workspace rests."""

from __future__ import annotations

from django.db import models

from accounts.models.base import PublicModel, unique_in_workspace


class Holiday(PublicModel):
    """A local day without work beside the weekly ones: nobody is disturbed, working days skip it."""

    day = models.DateField()
    name = models.CharField(max_length=100, blank=True)

    class Meta(PublicModel.Meta):
        constraints = [
            unique_in_workspace("day", name="holiday_day"),
            unique_in_workspace("public_id", name="holiday_public_id"),
        ]
