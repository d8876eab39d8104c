"""Commands of the embedded chat."""
