"""Policy: what may be sent where, decided before a byte leaves."""
