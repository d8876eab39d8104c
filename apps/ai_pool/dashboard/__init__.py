"""The operator's page: is the assistant healthy, if not why, and what to do first."""
