"""``python -m maskgan_cli`` and the ``maskgan`` command."""

from __future__ import annotations

import sys

from maskgan_cli.cli.app import app
from maskgan_cli.cli.shell import run


def main() -> None:
    """Run the command line and exit with its code."""
    sys.exit(run(app, sys.argv[1:]))


if __name__ == "__main__":
    main()
