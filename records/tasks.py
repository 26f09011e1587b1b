"""The worker's tasks for the back office: thin doors to what reviews, removes, sums up and exports."""
