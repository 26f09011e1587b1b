"""The reading room: sums of conversations, the list with its filters, search over all, transcripts, files."""
