"""The description of the API for programs (OpenAPI), and the page that shows it.

Views say what they take and give by ``described``; nothing else here is imported before somebody
asks for the description, because it is heavy.
"""
