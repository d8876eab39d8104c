"""Django's PostgreSQL, with a bound on how many connections one process may have."""
