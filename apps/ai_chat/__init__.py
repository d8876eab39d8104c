"""Conversations and messages, the chat page and its socket; ``services`` is the one door."""
