"""Tests of the Django applications."""
