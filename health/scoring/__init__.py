"""Health score: definition, arithmetic, cause of a change, what-if, backtest. Pure: arrays in and out."""

from health.scoring.backtest import Backtest, BandOutcome, CardOutcome, History, replay
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
    "Backtest",
    "BandMove",
    "BandOutcome",
    "Bands",
    "CardOutcome",
    "Change",
    "DayFacts",
    "DefinitionError",
    "ExceptionRule",
    "History",
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
    "replay",
    "score_accounts",
    "what_if",
]
