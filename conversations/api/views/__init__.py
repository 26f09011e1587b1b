"""What each address answers: asks its question, reaches rows through a door, calls a service, shows the rows.

What an address does with GET stands in a class of its own, so that another one may answer its POST under asyncio.
"""
