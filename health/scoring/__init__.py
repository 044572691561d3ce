"""Health score: definition, arithmetic, cause of a change, what-if. Pure: arrays in, arrays out."""

from health.scoring.change import Change, DayFacts, explain_change
from health.scoring.definition import (
    Bands,
    ExceptionRule,
    Measure,
    ScorecardDefinition,
    TenureBand,
)
from health.scoring.parsing import DefinitionError, Problem, parse_definition
from health.scoring.score import MetricTable, Part, ScoreTable, display_parts, score_accounts
from health.scoring.whatif import BandMove, WhatIf, what_if

__all__ = [
    "BandMove",
    "Bands",
    "Change",
    "DayFacts",
    "DefinitionError",
    "ExceptionRule",
    "Measure",
    "MetricTable",
    "Part",
    "Problem",
    "ScoreTable",
    "ScorecardDefinition",
    "TenureBand",
    "WhatIf",
    "display_parts",
    "explain_change",
    "parse_definition",
    "score_accounts",
    "what_if",
]
