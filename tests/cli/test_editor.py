"""Tests of ``maskgan edit`` as a program: the address on stdout, the end by Ctrl-C, and errors."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import requests

from maskgan_cli.editor.session_store import SessionStore
from maskgan_cli.files import write_image
from maskgan_cli.labels import ID
from tests.conftest import Command


def test_it_prints_its_address_and_saves_the_session_on_ctrl_c(weights: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "maskgan_cli", "edit", "--no-browser", "--port", "0", "--weights", str(weights)]
    environment = {**os.environ, "MASKGAN_CACHE": str(tmp_path)}
    program = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    try:
        _use_and_end(program, tmp_path)
    finally:
        program.kill()
        program.communicate()


def _use_and_end(program: subprocess.Popen[str], cache: Path) -> None:
    assert program.stdout is not None
    url = program.stdout.readline().strip()
    assert url.startswith("http://127.0.0.1:") and url.endswith("/")
    session = requests.post(url + "api/sessions?example=rendered-0", timeout=60).json()
    mask = np.full((session["side"], session["side"]), ID["hair"], np.uint8)
    render = f"{url}api/sessions/{session['id']}/render?revision=1&finish=bare"
    assert requests.post(render, mask.tobytes(), timeout=60).status_code == 200
    program.send_signal(signal.SIGINT)
    out, err = program.communicate(timeout=60)
    assert (program.returncode, out) == (0, "")
    assert "Traceback" not in err
    assert np.array_equal(SessionStore(cache / "editor").get(session["id"]).labels, mask)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["nowhere.jpg"], "nowhere.jpg: expected a picture, found no such file"),
        (["--weights", "nowhere"], "nowhere: expected dmn weights, found no such file"),
        (["--port", "99999"], "--port"),
        (["--host", "203.0.113.9"], "203.0.113.9"),
    ],
)
def test_wrong_arguments_are_one_line(arguments: list[str], line: str, weights: Path, maskgan: Command) -> None:
    given = [] if "--weights" in arguments else ["--weights", weights]
    outcome = maskgan("edit", "--no-browser", *arguments, *given)
    assert (outcome.code, outcome.out) == (2, "")
    assert line in outcome.err.splitlines()[-1]


def test_a_taken_port_and_a_photo_without_a_face(weights: Path, tmp_path: Path, maskgan: Command) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        outcome = maskgan("edit", "--no-browser", "--port", other.getsockname()[1], "--weights", weights)
    assert outcome.code == 2
    assert "address already in use; choose another --port" in outcome.err
    grey = write_image(tmp_path / "grey.png", np.full((80, 90, 3), 128, np.uint8))
    outcome = maskgan("edit", grey, "--no-browser", "--weights", weights)
    assert outcome.code == 2
    assert f"{grey}: expected a photo with a face, found no face; choose another photo" in outcome.err
