"""Tests of sites in the admin."""
