"""Commands in unusual environments: no home folder, pipes that are not UTF-8, closed streams, deleted folders."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from maskgan_cli.cli import shell
from maskgan_cli.weights.cache import NoCacheFolder, cache_folder
from maskgan_cli.weights.lookup import bundled, find_weights
from tests.weights.checkpoints import published, saved


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user without a home folder, as in containers and on clusters."""
    import pwd

    def unknown(_: int) -> object:
        raise KeyError

    for name in ("HOME", "MASKGAN_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)


@pytest.mark.skipif(sys.platform == "win32", reason="user ids")
def test_bundled_weights_are_found_without_a_home_folder(homeless: None) -> None:
    with pytest.raises(NoCacheFolder, match="set MASKGAN_CACHE"):
        cache_folder()
    assert find_weights(None, "parser") == bundled("parser")


@pytest.mark.skipif(sys.platform == "win32", reason="user ids")
@pytest.mark.parametrize("command", [("doctor",), ("weights", "list")])
def test_commands_without_a_home_folder_work_or_print_one_line(
    homeless: None, command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    from maskgan_cli.cli.app import app

    code = shell.run(app, list(command))
    assert code in (0, 1)
    assert "unexpected" not in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="user ids")
def test_weights_are_imported_without_a_home_folder_where_out_names_a_file(
    homeless: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from maskgan_cli.cli.app import app

    words = ["weights", "import", "blender", str(saved(published("official_netB"), tmp_path / "netB.pth"))]
    assert shell.run(app, words) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1, said
    assert "set MASKGAN_CACHE" in said
    assert shell.run(app, [*words, "-o", str(tmp_path / "blender.safetensors")]) == 0
    assert (tmp_path / "blender.safetensors").exists()


@pytest.mark.parametrize(
    ("encoding", "wanted"),
    [("cp1252", b"\\u4f60\\udcff\n"), ("utf-8", "\u4f60".encode() + b"\xff\n"), ("ascii:replace", b"??\n")],
)
def test_any_name_can_be_printed_in_any_encoding(encoding: str, wanted: bytes) -> None:
    program = "from maskgan_cli.cli import shell, streams; streams.open_streams(); shell.emit('\\u4f60\\udcff')"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.replace(b"\r\n", b"\n") == wanted


@pytest.mark.skipif(sys.platform == "win32", reason="closes streams by a POSIX shell")
@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_closed_streams_cause_no_error(closed: str) -> None:
    command = ["sh", "-c", f'exec "$0" -m maskgan_cli weights list {closed}', sys.executable]
    done = subprocess.run(command, capture_output=True, check=False, timeout=60)
    assert (done.returncode, b"unexpected" in done.stderr) == (0, False)


@pytest.mark.skipif(sys.platform == "win32", reason="devices of POSIX")
@pytest.mark.parametrize("out", ["-", "/dev/null"])
@pytest.mark.parametrize("command", [("swap-mouth", "a.png", "b.png"), ("examples",), ("eval", "pairs", "data")])
def test_streams_are_rejected_as_outputs(
    out: str,
    command: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    from maskgan_cli.cli.app import app

    monkeypatch.chdir(tmp_path)
    assert shell.run(app, [*command, "-o", out]) == 2
    assert "--out: expected the name of a file or a folder, found a stream or a device" in capfd.readouterr().err
    assert not list(tmp_path.iterdir()), "no folder named -"


@pytest.mark.skipif(sys.platform == "win32", reason="devices of POSIX")
@pytest.mark.parametrize("out", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "/dev/fd/7", "same.png", "link.png"])
def test_a_file_that_stdout_is_redirected_to_is_rejected_as_output(out: str, tmp_path: Path) -> None:
    """stdout is redirected to same.png; a result there would replace the printed paths."""
    (tmp_path / "link.png").symlink_to("/dev/stdout")
    words = [sys.executable, "-m", "maskgan_cli", "swap-mouth", "a.png", "b.png", "-o", out]
    with (tmp_path / "same.png").open("wb") as file:
        done = subprocess.run(words, stdout=file, stderr=subprocess.PIPE, cwd=tmp_path, check=False, timeout=60)
    assert done.returncode == 2
    assert b"--out: expected the name of a file or a folder, found a stream or a device" in done.stderr
    assert (tmp_path / "same.png").read_bytes() == b""


def test_a_deleted_working_directory_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from maskgan_cli.cli.app import app

    gone = tmp_path / "gone"
    gone.mkdir()
    before = Path.cwd()
    monkeypatch.chdir(gone)
    gone.rmdir()
    try:
        assert shell.run(app, ["doctor"]) == 2
    finally:
        os.chdir(before)
    assert capsys.readouterr().err == "maskgan: the working directory was deleted; change to one that exists\n"


def test_names_are_printed_unchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    voice, stream = shell.Shell(), io.StringIO()
    voice.console.file = stream
    voice.say("next: maskgan align :smile:[x][/red].png")
    assert stream.getvalue() == "next: maskgan align :smile:[x][/red].png\n"
