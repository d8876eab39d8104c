"""The REST interface to a visitor's own conversations."""
