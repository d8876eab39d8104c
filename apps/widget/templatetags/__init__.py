"""Template tags for pages that carry the chat."""
