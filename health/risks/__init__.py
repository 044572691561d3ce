"""Named open problems of an account: the rules that find them. Pure: columns in, masks out."""

from health.risks.spec import Columns, Parameter, RiskRuleSpec, risk_rules

__all__ = ["Columns", "Parameter", "RiskRuleSpec", "risk_rules"]
