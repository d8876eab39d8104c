"""Sites that carry the chat: who may embed it, how it looks there, and who their visitors are."""
