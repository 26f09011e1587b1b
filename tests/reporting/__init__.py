"""Sums of use, the pages that show them, and the views for tools of others."""
