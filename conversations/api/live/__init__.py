"""What of the API waits for answers or streams them: async, and without a database connection while it does."""
