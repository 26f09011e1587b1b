#!/usr/bin/env python
"""Django's command line."""

import os
import sys

from chatapp.env import load_environment


def main() -> None:
    load_environment()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatapp.settings")
    if "worker" in sys.argv:
        # The worker's loop reads some hundred streams; gunicorn takes uvloop by itself where it is installed.
        import uvloop

        uvloop.install()
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
