"""Results stay inside their folder, each in its own file, under names that can be written."""

from __future__ import annotations

from pathlib import Path

import pytest

from maskgan_cli.editing.outputs import output_paths
from maskgan_cli.errors import InputError


def _rows(*outputs: str) -> list[dict[str, Path]]:
    return [{"source": Path("a.png"), "target": Path("b.png"), "output": Path(name)} for name in outputs]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("../x.png", "a name inside the output folder"),
        ("deep/../../x.png", "a name inside the output folder"),
        ("/tmp/x.png", "a name inside the output folder"),
        (".", "a name inside the output folder"),
        ("x.exe", "a name ending in one of"),
        ("x\0.png", "a name of at most 255 bytes"),
        (f"{'x' * 252}.png", "a name of at most 255 bytes"),
    ],
)
def test_names_outside_the_folder_or_invalid_names_raise_an_error(name: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        output_paths(_rows("first.png", name), tmp_path / "out", listed=True)


def test_names_of_the_list_are_used_and_default_names_are_made(tmp_path: Path) -> None:
    rows = [*_rows("a.png", "deep/b.jpg"), {"source": Path("x/s.png"), "target": Path("y/t.jpg")}]
    assert output_paths(rows, tmp_path, listed=True) == [tmp_path / n for n in ("a.png", "deep/b.jpg", "s__t.png")]


def test_a_long_name_is_fine_until_its_masks_name_is_too_long(tmp_path: Path) -> None:
    rows = _rows(f"{'x' * 248}.png")
    assert output_paths(rows, tmp_path, listed=True)
    with pytest.raises(InputError, match="a name of at most 255 bytes"):
        output_paths(rows, tmp_path, listed=True, save_masks=True)


def test_no_two_results_share_a_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="pair 1 and pair 3 both writing it"):
        output_paths(_rows("a.png", "b.png", "./a.png"), tmp_path, listed=True)
    with pytest.raises(InputError, match="pair 1 and pair 2 both writing it"):
        output_paths(_rows("a.png", "a.mask.png"), tmp_path, listed=True, save_masks=True)
    with pytest.raises(InputError, match="--sheet and the result both writing it"):
        output_paths([{}], tmp_path / "a.png", listed=False, sheet=tmp_path / "a.png")
