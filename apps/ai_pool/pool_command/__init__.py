"""``manage.py pool``, a module for each group of its sub-commands."""
