"""A believable SaaS business out of a seed: numpy and the standard library only, nothing of Django."""

from health.simulation.business import Business, simulate
from health.simulation.spec import SimulationSpec

__all__ = ["Business", "SimulationSpec", "simulate"]
