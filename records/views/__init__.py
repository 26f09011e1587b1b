"""Pages of the back office beside Django's admin, and what people see of it."""
