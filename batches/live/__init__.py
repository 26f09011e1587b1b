"""The worker's side of batches, and results on their way to whoever asked."""
