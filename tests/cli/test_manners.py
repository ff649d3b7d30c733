"""The rules every command keeps: stdout is data, one line per error, exit codes, speed of --help."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import maskgan_cli
from maskgan_cli.cli.app import app
from maskgan_cli.cli.shell import run
from tests.conftest import Command

PACKAGE = Path(maskgan_cli.__file__).parent
COMMANDS = [[], ["demo"], ["synth"], ["prep-data"], ["check-data"], ["train"], ["train", "dmn"], ["train", "vae"],
            ["train", "ebst"], ["train", "parser"], ["train", "attributes"], ["train", "pose"],
            ["train", "identity"], ["train", "stargan"], ["train", "elegant"], ["train", "spade"],
            ["train", "pix2pixhd-m"], ["align"], ["edit"], ["parse"],
            ["render"], ["swap-mouth"], ["swap"], ["style-copy"], ["transfer"], ["interpolate"],
