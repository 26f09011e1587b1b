"""The back office's async code: what jobs wait for, and what leaves piece by piece."""
