"""What playbooks changed, as far as their experiments can say."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from health.models import Experiment, Sequence
from health.queries.experiment_results import Verdict
from health.queries.sequence_candidates import SUBJECT

WORDS = {
    Verdict.TOO_EARLY: _("Too early to say"),
    Verdict.BETTER: _("It keeps more customers"),
    Verdict.WORSE: _("It keeps fewer customers"),
    Verdict.NO_DIFFERENCE: _("No difference seen"),
    Verdict.UNDECIDED: _("Too close to call"),
}
