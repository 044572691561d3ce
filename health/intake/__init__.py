"""What comes in: limits, the Segment protocol, and the rows that events become. No database here."""
