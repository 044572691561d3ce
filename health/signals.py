"""Facts of this app that the motions above may react to, see `accounts/signals.py`."""

from __future__ import annotations

from accounts.signals import DurableSignal

# The object is the NightRun: every stage of that local date is done.
night_finished = DurableSignal("night_finished")
