"""What `make run` brings along so that nothing has to be installed: PostgreSQL, a local model, a supervisor."""
