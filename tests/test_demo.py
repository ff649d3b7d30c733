"""The whole loop at its smallest, and the page it ends in."""

from __future__ import annotations

import json
import re
from pathlib import Path

from maskgan_cli.demo.page import Page
from maskgan_cli.demo.run import BUNDLED
from maskgan_cli.files import read_json
from maskgan_cli.weights.format import read_weights
from maskgan_cli.weights.lookup import bundled
from tests.conftest import Command


def test_the_whole_loop_ends_in_a_page_whose_pictures_are_there(tmp_path: Path, maskgan: Command) -> None:
    out = tmp_path / "demo"
    outcome = maskgan("demo", "--smallest", "-o", out, "--device", "cpu", "--workers", 1, "--json")
    assert outcome.code == 0, outcome.err
    numbers = json.loads(outcome.out)
    page = out / "index.html"
    assert numbers["written"] == [str(page)]
    shown = re.findall(r'<img[^>]* src="([^"]+)"', page.read_text())
    assert len(set(shown)) > 15
    assert all((out / path).is_file() for path in shown)
    kept = read_json(out / "metrics.json")
    assert kept["weights"] == numbers["weights"]
    table = kept["against_the_truth"]
    assert list(table) == ["the source, unedited", "swap-mouth", "swap-mouth --blend"]
    floor, _, blended = table.values()
    assert blended["psnr_outside"] > 20, "blending leaves what is away from the edit as it was"
    assert floor["ssim_outside"] > floor["ssim_inside"], "the truth differs from the source where the mouth is"


def test_a_page_escapes_what_it_shows(tmp_path: Path) -> None:
    page = Page("a < b")
    page.section("<script>", "x & y")
    page.table(["<th>"], [["<td>"]])
    page.row([('"quoted".png', "<caption>")])
    text = page.write(tmp_path / "p.html").read_text()
    assert "<script>" not in text
    assert "x &amp; y" in text
    assert "&#34;quoted&#34;.png" in text


def test_the_bundled_weights_are_of_the_demos_size() -> None:
    for kind in ("dmn", "vae"):
        weights = bundled(kind)
        assert weights is not None
        assert read_weights(weights, kind).config["image_size"] == BUNDLED.size


def test_a_folder_of_other_files_is_left_alone(tmp_path: Path, maskgan: Command) -> None:
    (tmp_path / "index.html").write_text("mine")
    outcome = maskgan("demo", "-o", tmp_path)
    assert outcome.code == 2
    assert "found other files in it" in outcome.err
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]
