"""The Django applications of Corral."""
