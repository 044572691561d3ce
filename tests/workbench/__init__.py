"""An app that exists in tests only: a job kind whose effect can be counted, run by real worker processes."""
