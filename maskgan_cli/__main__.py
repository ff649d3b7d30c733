"""``python -m maskgan_cli`` and the ``maskgan`` command."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        # Imported here: processes that are spawned import this module and have no use for the command line.
        from maskgan_cli.cli.app import app
        from maskgan_cli.cli.shell import run

        code = run(app, sys.argv[1:])
    except KeyboardInterrupt:  # so early, or so often, that nothing was begun or all is ended
        code = 130
    sys.exit(code)


if __name__ == "__main__":
    main()
