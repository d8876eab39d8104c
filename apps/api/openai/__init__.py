"""The interface that clients of OpenAI's API know, over the pool."""
