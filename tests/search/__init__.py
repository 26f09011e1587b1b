"""Search: what is found, in which order, how it is shown, and what is never found."""
