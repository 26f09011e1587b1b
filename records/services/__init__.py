"""Writes of the back office: keyword-only, one transaction each."""
