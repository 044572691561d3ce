"""The reports on revenue: each module puts what it computed into words, charts and tables, and registers it."""
