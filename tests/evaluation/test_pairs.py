"""Pairs of the protocols: an exhaustive search as the reference, invariants, running time, errors."""

from __future__ import annotations

import csv
import dataclasses
import io
import itertools
import re
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maskgan_cli.data.prepared import PreparedData, Sample, poses_of
from maskgan_cli.editing.faces.face import read_pairs
from maskgan_cli.errors import InputError
from maskgan_cli.evaluation.pair_list import PairList, as_csv, rows_of
from maskgan_cli.evaluation.pairs import PROTOCOLS, choose, derangement, rendered_pairs

ALL = ("Smiling", "Male", "Heavy_Makeup", "No_Beard")


def _data(count: int, *, seed: int = 0, people: int | None = None, drop: str = "", turned: str = "") -> PreparedData:
    rng = np.random.default_rng(seed)
    samples = []
    for i in range(count):
        angles = zip(("yaw", "pitch", "roll"), rng.normal(0, [15, 8, 4]), strict=True)
        fields = {name: f"{value:.3f}" for name, value in angles}
        fields |= {name: str(rng.choice([-1, 1])) for name in ALL}
        fields |= {"identity": str(i % people)} if people else {}
        fields |= {"yaw": turned} if turned else {}
        fields.pop(drop, None)
        samples.append(Sample(str(i), "test", Path(f"d/images/{i}.png"), Path(f"d/masks/{i}.png"), fields))
    return PreparedData(Path("d"), 64, "hash", samples, {})


def test_smiling_pairs_have_the_smallest_sum_of_pose_distances() -> None:
    data = _data(14, seed=1)
    pairs = choose(data, "smiling", split="test", count=4, seed=0)
    sources, targets = [p.source for p in pairs], [p.target for p in pairs]
    assert all(s.fields["Smiling"] == "-1" for s in sources)
    assert all(t.fields["Smiling"] == "1" for t in targets)
    assert len({t.id for t in targets}) == len({s.id for s in sources}) == 4
    poses = {s.id: pose for s, pose in zip(data.samples, poses_of(data.samples), strict=True)}
    smiling = [s.id for s in data.samples if s.fields["Smiling"] == "1"]
    least = min(
        sum(float(np.linalg.norm(poses[a.id] - poses[b])) for a, b in zip(sources, order, strict=True))
        for order in itertools.permutations(smiling, 4)
    )
    assert sum(p.distance or 0 for p in pairs) == pytest.approx(least)
    for pair in pairs:
        apart = np.linalg.norm(poses[pair.source.id] - poses[pair.target.id])
        assert pair.distance == pytest.approx(apart)
        assert pair.wanted == {"Smiling": 1}


def test_another_attribute_can_be_transferred() -> None:
    data = _data(40, seed=1)
    for pair in (pairs := choose(data, "transfer", split="test", count=None, seed=0, attribute="Male")):
        assert (pair.source.fields["Male"], pair.target.fields["Male"]) == ("-1", "1")
        assert pair.wanted == {"Male": 1}
    assert len(pairs) == min(sum(s.fields["Male"] == sign for s in data.samples) for sign in ("1", "-1"))
    smiling = choose(data, "smiling", split="test", count=5, seed=0)
    assert choose(data, "transfer", split="test", count=5, seed=0, attribute="Smiling") == smiling


def test_the_choice_depends_on_the_seed() -> None:
    def ids(seed: int) -> list[tuple[str, str]]:
        pairs = choose(_data(300), "smiling", split="test", count=40, seed=seed)
        return [(p.source.id, p.target.id) for p in pairs]

    assert ids(0) == ids(0)
    assert ids(0) != ids(1)


def test_targets_show_other_people_if_there_are_any() -> None:
    pairs = choose(_data(60, people=20), "smiling", split="test", count=15, seed=0)
    assert all(p.source.fields["identity"] != p.target.fields["identity"] for p in pairs)


def test_identity_pairs_want_the_opposite_of_each_face() -> None:
    pairs = choose(_data(300), "identity", split="test", count=60, seed=0)
    assert len({p.source.id for p in pairs}) == 60
    assert {p.source.fields["Smiling"] for p in pairs} == {"1", "-1"}
    for pair in pairs:
        assert int(pair.target.fields["Smiling"]) == pair.wanted["Smiling"] == -int(pair.source.fields["Smiling"])


def test_style_pairs_are_a_permutation_with_half_of_the_pairs_of_different_gender() -> None:
    pairs = choose(_data(500), "style-copy", split="test", count=200, seed=3)
    assert sorted(p.source.id for p in pairs) == sorted(p.target.id for p in pairs)
    assert all(p.source.id != p.target.id for p in pairs)
    crossed = sum(p.source.fields["Male"] != p.target.fields["Male"] for p in pairs)
    assert crossed == 100
    for pair in pairs:
        assert pair.wanted == {name: int(pair.target.fields[name]) for name in ("Male", "Heavy_Makeup", "No_Beard")}


@pytest.mark.parametrize("genders", [(2, 0), (0, 3), (1, 1), (1, 9), (5, 2), (30, 31)])
def test_a_derangement_of_any_mix_of_genders(genders: tuple[int, int]) -> None:
    men, women = genders
    male = np.random.default_rng(0).permutation([True] * men + [False] * women)
    source = derangement(male, np.random.default_rng(1))
    count = men + women
    assert sorted(source) == list(range(count))
    assert (source != np.arange(count)).all()
    crossing = (male[source] != male).sum()
    assert crossing == 2 * min(men, women, max(1, round(count / 4)))


def test_pairs_of_a_large_split_take_less_than_a_second() -> None:
    data = _data(2824, people=1200)
    start = time.process_time()
    pairs = choose(data, "smiling", split="test", count=None, seed=0)
    took = time.process_time() - start
    assert len(pairs) == 400
    assert took < 1


def test_editing_commands_and_evaluation_read_the_list(tmp_path: Path) -> None:
    pairs = choose(_data(100), "smiling", split="test", count=5, seed=7)
    text = as_csv(rows_of(pairs, "smiling", split="test", seed=7, poses="manifest"))
    path = tmp_path / "pairs.csv"
    path.write_text(text + "\n")
    edits = read_pairs(str(path), ("source", "target"), ("source_mask", "target_mask", "output"))
    assert [e["source"] for e in edits] == [p.source.image for p in pairs]
    assert [e["target_mask"] for e in edits] == [p.target.mask for p in pairs]
    listed = PairList.load(path)
    assert (listed.protocol, listed.split, listed.seed) == ("smiling", "test", 7)
    assert listed.wanted() == {"Smiling": [1] * 5}
    row = next(csv.DictReader(io.StringIO(text)))
    assert float(row["distance"]) == pytest.approx(pairs[0].distance, abs=1e-4)
    assert "least" in row["rule"]
    with pytest.raises(InputError, match="expected a folder of results, found no such folder"):
        listed.results(tmp_path / "r")
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / edits[0]["output"]).touch()
    with pytest.raises(InputError, match=rf"the results of 5 pairs, found no {edits[1]['output']} nor 3 more"):
        listed.results(tmp_path / "r")


@pytest.mark.parametrize("protocol", ["smiling", "identity", "style-copy"])
def test_a_small_split_gives_all_its_pairs(protocol: str) -> None:
    """The count is the default, or larger than the split."""
    data = _data(21, seed=3)
    smiling = sum(sample.fields["Smiling"] == "1" for sample in data.samples)
    rarer = min(smiling, 21 - smiling)
    most = {"smiling": rarer, "identity": 2 * rarer, "style-copy": 21}[protocol]
    pairs = choose(data, protocol, split="test", count=None, seed=0)
    assert choose(data, protocol, split="test", count=22, seed=0) == pairs
    assert len(pairs) == len({pair.source.id for pair in pairs}) == len({pair.target.id for pair in pairs}) == most
    assert len(choose(_data(2200), protocol, split="test", count=None, seed=0)) == PROTOCOLS[protocol].count


def test_a_split_of_one_kind_of_face_has_no_pairs() -> None:
    data = _data(9)
    for sample in data.samples:
        sample.fields["Smiling"] = "1"
    for protocol in ("smiling", "identity"):
        with pytest.raises(InputError, match="targets with the opposite, found none in this split"):
            choose(data, protocol, split="test", count=None, seed=0)


def test_results_have_safe_and_unique_names_for_any_names_of_faces(tmp_path: Path) -> None:
    data = _data(8)
    hostile = ("../../x", "/etc/passwd", "a\nb", "c" * 300, 'd,"e', ".hidden", "ü", "")
    data.samples[:] = [dataclasses.replace(s, id=name) for s, name in zip(data.samples, hostile, strict=True)]
    pairs = choose(data, "style-copy", split="test", count=None, seed=0)
    outputs = [row["output"] for row in rows_of(pairs, "style-copy", split="test", seed=0, poses="")]
    assert len(set(outputs)) == 8
    for output in outputs:
        assert re.fullmatch(r"\d{4}_[\w.-]{0,60}_[\w.-]{0,60}\.png", output)
    path = tmp_path / "pairs.csv"
    path.write_text(as_csv(rows_of(pairs, "style-copy", split="test", seed=0, poses="")) + "\n")
    assert [row["output"] for row in PairList.load(path).rows] == outputs


def _rows(count: int) -> list[dict[str, str]]:
    pairs = choose(_data(30), "smiling", split="test", count=count, seed=0)
    return rows_of(pairs, "smiling", split="test", seed=0, poses="manifest")


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda rows: rows[1].update(output="../x.png"), "line 3: expected a name inside the folder of results"),
        (lambda rows: rows[0].update(output="/x.png"), r"line 2: .*found '/x\.png'"),
        (lambda rows: rows[0].update(seed="many"), "expected a number as seed, found 'many'"),
        (lambda rows: rows[1].update(Smiling="yes"), "line 3: expected 1 or -1 as Smiling, found 'yes'"),
        (lambda rows: rows[1].update(output=""), "line 3: expected a name inside the folder of results, found ''"),
    ],
)
def test_an_edited_list_with_wrong_values_raises_errors(change: Any, line: str, tmp_path: Path) -> None:
    rows = rows_of(
        choose(_data(30), "smiling", split="test", count=3, seed=0), "smiling", split="test", seed=0, poses=""
    )
    change(rows)
    (tmp_path / "pairs.csv").write_text(as_csv(rows) + "\n")
    with pytest.raises(InputError, match=line):
        PairList.load(tmp_path / "pairs.csv").wanted()


@pytest.mark.parametrize(
    ("data", "protocol", "count", "line"),
    [
        (_data(20, drop="yaw"), "smiling", 2, "expected yaw, pitch and roll in manifest.csv.*--pose-weights"),
        (_data(20, drop="Smiling"), "smiling", 2, "expected the attribute Smiling in manifest.csv"),
        (_data(20, drop="No_Beard"), "style-copy", 2, "expected the attribute No_Beard"),
        (_data(20, turned="nan"), "smiling", 2, "expected yaw, pitch and roll in manifest.csv, found 'nan' as yaw"),
        (_data(20, turned="-inf"), "identity", 2, "expected yaw, pitch and roll in manifest.csv, found '-inf' as yaw"),
        (_data(1), "style-copy", 4, "expected at least two faces, found 1"),
    ],
)
def test_missing_data_for_pairs_raise_errors(data: PreparedData, protocol: str, count: int | None, line: str) -> None:
    with pytest.raises(InputError, match=line):
        choose(data, protocol, split="test", count=count, seed=0)


def test_a_list_of_rendered_pairs_without_a_column_raises_an_error(prepared: Path, tmp_path: Path) -> None:
    (tmp_path / "counterfactuals").mkdir()
    (tmp_path / "counterfactuals" / "pairs.csv").write_text("pair,source,truth,truth_mask\n0,0.jpg,a.jpg,a.png\n")
    with pytest.raises(InputError, match=r"pairs\.csv: expected a column target, found none"):
        rendered_pairs(PreparedData.load(prepared), tmp_path, None)


def test_a_list_with_an_unclosed_quotation_mark_raises_an_error(tmp_path: Path) -> None:
    (tmp_path / "pairs.csv").write_text('source,target\n"a.png,b.png\n' + "c.png,d.png\n" * 20_000)
    with pytest.raises(InputError, match=r"pairs\.csv: expected a list of pairs, found field larger than"):
        read_pairs(str(tmp_path / "pairs.csv"), ("source", "target"), ())
