"""What planning knows of an invoice: the tries on it so far, and the card that a retry would charge."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dunning.policy.judging import Refusal

# Who made a try, or changed the card.
PROVIDER, PLATFORM, CSM, PERSON = "provider", "platform", "csm", "person"
# How a try ended.
FAILED, SUCCEEDED, UNKNOWN, PENDING = "failed", "succeeded", "unknown", "pending"


@dataclass(frozen=True, slots=True)
class AttemptFact:
    """One try, whoever made it. `card` is the payment method's fingerprint, "" where unknown."""

    at: datetime
    outcome: str = FAILED
    decline_code: str = ""
    advice_code: str = ""
    network_advice_code: str = ""
    network_decline_code: str = ""
    card: str = ""
    brand: str = ""
    made_by: str = PROVIDER

    @property
    def refusal(self) -> Refusal:
        return Refusal(
            self.decline_code,
            self.advice_code,
            self.network_advice_code,
            self.network_decline_code,
            self.brand,
        )


@dataclass(frozen=True, slots=True)
class RetryFacts:
    """What is known of one invoice. `attempts` in the order of time; `card` is what a retry would charge.

    `checked_at`: when somebody made sure that a refused duplicate was not paid. `card_tries_30_days`: tries of
    that card over all invoices, by which the networks count.
    """

    invoice_id: str
    attempts: tuple[AttemptFact, ...]
    ends_at: datetime
    first_failed_at: datetime | None = None
    card: str = ""
    card_brand: str = ""
    card_country: str = ""
    card_changed_at: datetime | None = None
    card_changed_by: str = PERSON
    country: str = ""
    checked_at: datetime | None = None
    card_tries_30_days: int = 0

    @property
    def last(self) -> AttemptFact | None:
        return self.attempts[-1] if self.attempts else None

    @property
    def last_of_card(self) -> AttemptFact | None:
        """The try that the next one follows: the newest, unless that was made with another card, named for it alone,
        while the card that is there had its own tries before."""
        last = self.last
        if (
            last is None
            or self.is_same_card(last)
            or (self.card_changed_at and last.at < self.card_changed_at)
        ):
            return last
        return next((attempt for attempt in reversed(self.attempts) if attempt.card == self.card), last)

    def is_same_card(self, attempt: AttemptFact) -> bool:
        if attempt.card and self.card:
            return attempt.card == self.card
        return self.card_changed_at is None or attempt.at >= self.card_changed_at

    def is_before_change(self, attempt: AttemptFact) -> bool:
        """The card, or what was entered of it, is another than this try used."""
        changed = self.card_changed_at is not None and attempt.at < self.card_changed_at
        return changed or not self.is_same_card(attempt)
