"""Pages and the actions on them: each view fetches what is visible, calls a service, renders."""
