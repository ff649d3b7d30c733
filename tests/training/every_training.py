"""Runs the command lines of a JSON file one after another in this process, which a launcher started."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from maskgan_cli.cli.app import app
from maskgan_cli.cli.shell import run

for words in json.loads(Path(sys.argv[1]).read_text()):
    print(words[1], file=sys.stderr)
    if run(app, words):
        sys.exit(f"failed: {' '.join(words)}")
