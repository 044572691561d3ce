"""Names of what this app tells about: notification kinds and outgoing events."""

RED = "health.turned_red"
RISKS = "health.risks_opened"
CHURNED = "health.churned"
NIGHT_FAILED = "health.night_failed"
TRAINED = "health.model_trained"

BAND_EVENT = "account.band_changed"
CHURN_EVENT = "account.churned"
RISK_EVENT = "risk.opened"
RISK_CLOSED_EVENT = "risk.closed"
