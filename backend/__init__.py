"""The Django project: settings, ASGI application, addresses. It holds no business rules."""
