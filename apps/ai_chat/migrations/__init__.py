"""Changes of the chat's tables."""
