"""The reports on health, risk and use that this app brings to the report page."""
