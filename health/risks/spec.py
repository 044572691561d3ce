"""What a risk rule is, and the registry that the workspace's settings refer to by cause."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cs_platform.lib.registry import Registry

Columns = Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Parameter:
    """A threshold that an admin may change; `lowest` and `highest` are inclusive."""

    name: str
    label: Any
    default: float
    lowest: float
    highest: float
    unit: str = ""


@dataclass(frozen=True)
class RiskRuleSpec:
    """A rule over the columns of one day: metrics by key, plus `health_score` and `churn_probability`.

    `matches(columns, parameters)` returns a boolean array; missing values (nan) must not match.
    `evidence` names the columns that the sentence is made of; `sentence(evidence)` renders it in
    the language in force. `instruction` is the default of "what to do", editable by admins.
    """

    name: str
    label: Any
    severity: int
    columns: tuple[str, ...]
    matches: Callable[[Columns, Mapping[str, float]], NDArray[np.bool_]]
    sentence: Callable[[Mapping[str, Any]], str]
    instruction: Any
    parameters: tuple[Parameter, ...] = ()
    evidence: tuple[str, ...] = field(default=())

    def defaults(self) -> dict[str, float]:
        return {p.name: p.default for p in self.parameters}

    def settings(self, stored: Mapping[str, float]) -> dict[str, float]:
        """Stored parameters over the defaults; names that no longer exist are dropped."""
        return {name: float(stored.get(name, value)) for name, value in self.defaults().items()}


risk_rules: Registry[RiskRuleSpec] = Registry("risk rule", RiskRuleSpec)
