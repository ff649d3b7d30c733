"""Entry point of the ``maskgan`` command and of ``python -m maskgan_cli``."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit with its exit code."""
    try:
        # Imported here, because spawned processes import this module but do not need the command line.
        from maskgan_cli.cli.app import app
        from maskgan_cli.cli.shell import run

        code = run(app, sys.argv[1:])
    except KeyboardInterrupt:  # before the command started, or after it ended
        code = 130
    sys.exit(code)


if __name__ == "__main__":
    main()
