"""What an export of many conversations holds: which are chosen, their lines, the manifest. Reads alone."""
