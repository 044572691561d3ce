"""One failed payment and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

OURS = ("silent_retry", "notice", "person")


@dataclass(frozen=True, slots=True)
class RecoveryFact:
    """`amount_minor` and `recovered_minor` in the report currency at the rate of the day of the failure; None:
    no rate is known, so the payment counts but its money does not. `own_minor` and `own_recovered_minor` are the same
    in `currency`, its own. `days` from the failure to the money.
    """

    account_id: int
    failed_on: date
    amount_minor: int | None
    state: str = "open"
    recovered_by: str = ""
    recovered_minor: int | None = 0
    days: float | None = None
    decline_class: str = ""
    brand: str = ""
    country: str = ""
    plan: str = ""
    was_worked: bool = True
    was_noticed: bool = False
    has_new_card: bool = False
    currency: str = ""
    own_minor: int = 0
    own_recovered_minor: int = 0

    @property
    def is_open(self) -> bool:
        return self.state == "open"

    @property
    def is_recovered(self) -> bool:
        return self.state == "recovered"
