"""The words behind ``manage.py model``, one module each."""
