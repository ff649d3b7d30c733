"""Tests of the eval commands from the command line: from pairs to a table with the hashes of all inputs."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from maskgan_cli.files import read_image, read_json, read_label_map, sha256, write_image
from maskgan_cli.judges.attributes import load_attributes
from maskgan_cli.judges.parser import load_parser
from maskgan_cli.judges.pose import load_pose
from maskgan_cli.metrics.intervals import wilson
from maskgan_cli.models.arcface import ArcFaceConfig, IResNet
from maskgan_cli.models.attributes import AttributeConfig, AttributeNet
from maskgan_cli.models.hopenet import HopeNet, HopeNetConfig
from maskgan_cli.models.lpips import ALEXNET, LPIPS
from maskgan_cli.models.parser import FaceParser, ParserConfig
from maskgan_cli.weights.format import save_weights
from tests.conftest import Command

CPU = ("--device", "cpu")


@pytest.fixture(scope="module")
def judges(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Untrained evaluation networks; the threshold of the identity network is a cosine of 0.5."""
    folder = tmp_path_factory.mktemp("judges")
    torch.manual_seed(0)
    attributes, parser = AttributeConfig(("Male", "Smiling"), 64, 8), ParserConfig(64, 8)
    pose = HopeNetConfig(8, (1, 1, 1, 1), False, image_size=64)
    identity = ArcFaceConfig((1, 1, 1, 1), 8, 16, 64)
    return {
        "attributes": save_weights(
            folder / "a.safetensors", AttributeNet(attributes), kind="attributes", config=vars(attributes), about={}
        ),
        "parser": save_weights(
            folder / "p.safetensors", FaceParser(parser), kind="parser", config=vars(parser), about={}
        ),
        "pose": save_weights(folder / "h.safetensors", HopeNet(pose), kind="hopenet", config=vars(pose), about={}),
        "identity": save_weights(
            folder / "i.safetensors",
            IResNet(identity),
            kind="arcface",
            config=vars(identity),
            about={"threshold": 0.5},
        ),
    }


@pytest.fixture
def painted(prepared: Path, weights: Path, tmp_path: Path, maskgan: Command, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of results for pairs of the training split."""
    monkeypatch.setenv("MASKGAN_CACHE", str(tmp_path / "cache"))
    chosen = maskgan("eval", "pairs", prepared, "--split", "train", "-n", 3, "-o", tmp_path / "pairs.csv")
    assert chosen.code == 0, chosen.err
    assert chosen.lines == [str(tmp_path / "pairs.csv")]
    listed = maskgan("eval", "pairs", prepared, "--split", "train", "-n", 3)
    assert listed.out == (tmp_path / "pairs.csv").read_text()
    monkeypatch.setattr(sys, "stdin", io.StringIO(listed.out))
    out = tmp_path / "maskgan"
    done = maskgan("swap-mouth", "--pairs", "-", "-o", out, "--save-masks", "--weights", weights, *CPU)
    assert done.code == 0, done.err
    return out


def test_from_pairs_to_a_table_with_hashes(
    painted: Path, judges: dict[str, Path], prepared: Path, weights: Path, tmp_path: Path, maskgan: Command
) -> None:
    pairs = tmp_path / "pairs.csv"
    rows = list(csv.DictReader(pairs.read_text().splitlines()))
    paths = [painted / row["output"] for row in rows]
    named = ("--pairs", pairs, *CPU)
    calls = {
        "attributes": ("eval", "attributes", painted, "--weights", judges["attributes"], *named),
        "segmentation": ("eval", "segmentation", painted, "--weights", judges["parser"], *named),
        "fid": ("eval", "fid", prepared, painted, "--features", "parser", "--weights", judges["parser"], *named),
    }
    documents = {}
    for name, call in calls.items():
        outcome = maskgan(*call, "-o", tmp_path / f"{name}.json")
        assert outcome.code == 0, outcome.err
        documents[name] = json.loads(outcome.out)
        assert documents[name] == read_json(tmp_path / f"{name}.json")

    for name, call in calls.items():  # once more: the same, which is said, and nothing is written
        held, again = (tmp_path / f"{name}.json").read_bytes(), maskgan(*call, "-o", tmp_path / f"{name}.json")
        assert (again.code, json.loads(again.out)) == (0, documents[name]), again.err
        assert f"{name}.json, which already holds this output" in again.err
        other = maskgan(*call, "-o", tmp_path / f"{name}.json", "--method", "another name", "-q")
        assert other.code == 2 and "a result that exists already" in other.err, other.err
        assert (tmp_path / f"{name}.json").read_bytes() == held

    judge = load_attributes(judges["attributes"], torch.device("cpu"))
    seen_smiling = torch.cat([judge(torch.from_numpy(read_image(p).copy()).permute(2, 0, 1)[None]) for p in paths])
    smiling = (seen_smiling[:, judge.names.index("Smiling")] >= 0.5).double()
    assert documents["attributes"]["value"] == float(smiling.mean())
    assert documents["attributes"]["intervals"]["attribute_accuracy"] == list(wilson(int(smiling.sum()), 3))
    parser = load_parser(judges["parser"], torch.device("cpu"))
    seen = [parser(torch.from_numpy(read_image(p).copy()).permute(2, 0, 1)[None])[0].numpy() for p in paths]
    asked = [read_label_map(path.with_name(f"{path.stem}.mask.png")) for path in paths]
    assert documents["segmentation"]["value"] == pytest.approx(float(np.mean(np.stack(seen) == np.stack(asked))))
    assert np.sum(documents["segmentation"]["details"]["confusion"]) == 3 * 64 * 64
    assert documents["fid"]["metric"] == "frechet/parser"

    painter = sha256(weights / "model.safetensors")
    for document in documents.values():
        assert (document["n"], document["protocol"], document["split"]) == (3, "smiling", "train")
        assert (document["method"], document["size"], document["seed"]) == ("maskgan", 64, 0)
        assert document["inputs"]["pairs"]["sha256"] == sha256(pairs)
        lines = "".join(f"{sha256(path)}  {path.name}\n" for path in sorted(paths))
        assert document["inputs"]["results"]["sha256"] == hashlib.sha256(lines.encode()).hexdigest()
        assert document["weights"]["generator"] == {"sha256": painter}
    assert documents["attributes"]["weights"]["attributes"]["sha256"] == sha256(judges["attributes"])

    table = maskgan("eval", "report", *(tmp_path / f"{name}.json" for name in calls), "-o", tmp_path / "table.md")
    assert table.out == (tmp_path / "table.md").read_text()
    row = next(line for line in table.lines if line.startswith("| maskgan"))
    assert f"{100 * documents['segmentation']['value']:.2f}" in row
    assert painter in table.out
    assert "\\begin{tabular}" in maskgan("eval", "report", tmp_path / "fid.json", "--format", "latex").out


def test_eval_results_gives_the_values_of_the_single_commands(
    painted: Path, judges: dict[str, Path], prepared: Path, tmp_path: Path, maskgan: Command
) -> None:
    named = ("--pairs", tmp_path / "pairs.csv", *CPU)
    frechet = ("--features", "parser", "--weights", judges["parser"])
    alone = [
        json.loads(maskgan("eval", *call, *named).out)
        for call in (
            ("attributes", painted, "--weights", judges["attributes"]),
            ("segmentation", painted, "--weights", judges["parser"]),
            ("fid", prepared, painted, *frechet),
            ("identity", painted, "--weights", judges["identity"]),
            ("kid", prepared, painted, *frechet),
        )
    ]
    call = (
        "eval",
        "results",
        prepared,
        painted,
        *named,
        "--attributes-weights",
        judges["attributes"],
        "--parser-weights",
        judges["parser"],
        "--identity-weights",
        judges["identity"],
        "--features",
        "parser",
        "--features-weights",
        judges["parser"],
    )
    together = maskgan(*call, "-o", tmp_path / "all.json", "--metrics", "attributes,segmentation,fid,identity,kid")
    assert together.code == 0, together.err
    assert json.loads(together.out) == alone == read_json(tmp_path / "all.json")
    assert alone[4]["metric"] == "kernel/parser"
    two = maskgan(*call, "--metrics", "identity, attributes")
    assert json.loads(two.out) == [alone[3], alone[0]]
    table = maskgan("eval", "report", tmp_path / "all.json")
    assert "attribute acc. (%) ↑ | segmentation acc. (%) ↑ | mean IoU (%) ↑ | Fréchet distance, parser ↓" in table.out
    wrong = maskgan(*call, "--metrics", "identity,beauty")
    assert (wrong.code, wrong.out) == (2, "")
    assert (
        "--metrics: expected some of attributes, segmentation, fid, identity, kid, precision, found beauty" in wrong.err
    )


def test_precision_recall_and_lpips_of_results(
    painted: Path, judges: dict[str, Path], prepared: Path, tmp_path: Path, maskgan: Command
) -> None:
    pairs = tmp_path / "pairs.csv"
    few = maskgan(
        "eval",
        "precision",
        prepared,
        painted,
        "--pairs",
        pairs,
        "--features",
        "parser",
        "--weights",
        judges["parser"],
        *CPU,
    )
    assert (few.code, few.out) == (2, "")
    assert "expected at least 4 pictures, found 3" in few.err
    own = ("eval", "precision", prepared, prepared, "--features", "parser", "--weights", judges["parser"], *CPU)
    same = json.loads(maskgan(*own, "--split", "train").out)
    assert same["metric"] == "precision/parser"
    assert (same["value"], same["values"]) == (1.0, {"recall/parser": 1.0})

    torch.manual_seed(0)
    trunk = {n: t for n, t in LPIPS(ALEXNET).state_dict().items() if n.startswith("features.")}
    torch.save(trunk, tmp_path / "trunk.pth")
    heads = {f"lin{i}.model.1.weight": torch.rand(1, c, 1, 1) for i, c in enumerate(ALEXNET.channels)}
    torch.save(heads, tmp_path / "heads.pth")
    call = (
        "eval",
        "lpips",
        painted,
        "--pairs",
        pairs,
        "--trunk",
        tmp_path / "trunk.pth",
        "--heads",
        tmp_path / "heads.pth",
        "--batch-size",
        2,
        *CPU,
    )
    near = json.loads(maskgan(*call, "-o", tmp_path / "lpips.json").out)
    far = json.loads(maskgan(*call, "--against", "target").out)
    assert (near["metric"], far["metric"], near["n"]) == ("lpips/source", "lpips/target", 3)
    assert 0 < near["value"] != far["value"]
    assert "LPIPS, source ↓" in maskgan("eval", "report", tmp_path / "lpips.json").out


def test_a_small_split_gives_fewer_pairs_with_a_message(prepared: Path, maskgan: Command) -> None:
    outcome = maskgan("eval", "pairs", prepared, "--split", "train")
    assert outcome.code == 0, outcome.err
    count = len(outcome.lines) - 1
    assert 0 < count < 20
    assert f"the train split has only {count} pairs, not the paper's 400" in outcome.err


def test_features_of_real_pictures_are_cached(
    painted: Path, judges: dict[str, Path], prepared: Path, tmp_path: Path, maskgan: Command
) -> None:
    call = (
        "eval",
        "fid",
        prepared,
        painted,
        "--split",
        "train",
        "--features",
        "attributes",
        "--weights",
        judges["attributes"],
        *CPU,
    )
    without = maskgan(*call, "--no-cache")
    assert not (tmp_path / "cache").exists()
    first = maskgan(*call)
    (kept,) = (tmp_path / "cache" / "features").iterdir()
    time = kept.stat().st_mtime_ns
    second = maskgan(*call, "--quiet")
    assert kept.stat().st_mtime_ns == time
    assert without.out == first.out == second.out
    assert json.loads(first.out)["protocol"] == ""
    assert json.loads(first.out)["split"] == "train"


def test_the_ground_truth_of_rendered_pairs(tmp_path: Path, weights: Path, maskgan: Command) -> None:
    raw, data, pairs, out = (tmp_path / name for name in ("raw", "data", "pairs.csv", "swapped"))
    maskgan("synth", raw, "-n", 6, "--identities", 6, "--size", 64, "--counterfactuals", 2, "--workers", 1)
    maskgan("prep-data", raw, data, "--size", 64, "--workers", 1)
    chosen = maskgan("eval", "pairs", data, "--protocol", "counterfactual", "--truths", raw, "-o", pairs, "--json")
    document = json.loads(chosen.out)
    assert [Path(row["truth"]).name for row in document["pairs"]] == ["00000.png", "00001.png"]
    maskgan("swap-mouth", "--pairs", pairs, "-o", out, "--weights", weights, *CPU)
    measured = maskgan("eval", "counterfactual", out, "--pairs", pairs, *CPU)
    assert measured.code == 0, measured.err
    blurred = json.loads(measured.out)
    for row in document["pairs"]:  # the truth itself is as near as can be
        write_image(tmp_path / "perfect" / row["output"], read_image(row["truth"]))
    perfect = json.loads(maskgan("eval", "counterfactual", tmp_path / "perfect", "--pairs", pairs, *CPU).out)
    assert perfect["value"] is None, "infinite"
    assert perfect["values"]["ssim_inside"] == pytest.approx(1)
    assert perfect["values"]["feature_distance_inside"] == 0
    assert blurred["values"]["ssim_inside"] < 0.9
    assert blurred["value"] < 40


def test_an_unchanged_face_has_the_same_identity(
    painted: Path, judges: dict[str, Path], tmp_path: Path, maskgan: Command
) -> None:
    pairs = tmp_path / "pairs.csv"
    rows = list(csv.DictReader(pairs.read_text().splitlines()))
    for row in rows:
        write_image(tmp_path / "unchanged" / row["output"], read_image(row["source"]))
    call = ("--pairs", pairs, "--weights", judges["identity"], *CPU)
    document = json.loads(maskgan("eval", "identity", tmp_path / "unchanged", *call).out)
    assert document["value"] == 1
    assert document["values"]["identity_cosine"] == pytest.approx(1, abs=1e-5)
    assert document["details"]["threshold"] == 0.5
    lines = sorted(f"{sha256(row['source'])}  {Path(row['source']).name}\n" for row in rows)
    lines.sort(key=lambda line: line.split()[1])
    assert document["inputs"]["sources"]["sha256"] == hashlib.sha256("".join(lines).encode()).hexdigest()
    stricter = json.loads(maskgan("eval", "identity", painted, *call, "--threshold", 1).out)
    assert stricter["value"] == 0


def test_poses_come_from_the_given_network(prepared: Path, judges: dict[str, Path], maskgan: Command) -> None:
    call = ("eval", "pairs", prepared, "--split", "train", "-n", 3, "--pose-weights", judges["pose"], *CPU, "--json")
    rows = json.loads(maskgan(*call).out)["pairs"]
    judge = load_pose(judges["pose"], torch.device("cpu"))
    for row in rows:
        faces = [torch.from_numpy(read_image(row[role]).copy()).permute(2, 0, 1) for role in ("source", "target")]
        source, target = judge(torch.stack(faces))
        assert float(row["distance"]) == pytest.approx(float((source - target).norm()), abs=0.02)
        assert row["poses"] == sha256(judges["pose"])


def test_a_survey_from_the_command_line(painted: Path, prepared: Path, tmp_path: Path, maskgan: Command) -> None:
    made = maskgan(
        "eval",
        "survey",
        tmp_path / "survey",
        "--pairs",
        tmp_path / "pairs.csv",
        "-n",
        2,
        "--method",
        f"a={painted}",
        "--method",
        f"b={painted}",
    )
    assert made.lines == [str(tmp_path / "survey" / "index.html")]
    key = read_json(tmp_path / "survey" / "key.json")
    lines = ["survey,participant,question,criterion,choice,position"]
    for question, entry in key["questions"].items():
        token = next(t for t, method in entry["options"].items() if method == "a")
        lines += [f"{key['survey']},me,{question},{criterion},{token},1" for criterion in ("quality", "realism")]
    (tmp_path / "answers.csv").write_text("\n".join(lines) + "\n")
    counted = maskgan(
        "eval", "survey", tmp_path / "survey", "--tally", tmp_path / "answers.csv", "-o", tmp_path / "wins.json"
    )
    assert [result["value"] for result in json.loads(counted.out)] == [1.0, 0.0]
    table = maskgan("eval", "report", tmp_path / "wins.json")
    assert "| a | **100.00** [34.24, 100.00] | **100.00** [34.24, 100.00] |" in table.out


def test_wrong_inputs_are_one_line(
    painted: Path, judges: dict[str, Path], prepared: Path, tmp_path: Path, maskgan: Command
) -> None:
    pairs = tmp_path / "pairs.csv"
    (tmp_path / "empty").mkdir()
    (tmp_path / "half").mkdir()
    first = next(csv.DictReader(pairs.read_text().splitlines()))["output"]
    write_image(tmp_path / "half" / first, np.zeros((64, 64, 3), np.uint8))
    judge = ("--weights", judges["attributes"], *CPU)
    (tmp_path / "list.csv").write_text("source,target\na.png,b.png\n")
    (tmp_path / "no.csv").write_text("source,target\n")
    cases: dict[str, tuple[object, ...]] = {
        "'frowning' is not one of 'smiling', 'transfer', 'style-copy'": ("pairs", prepared, "--protocol", "frowning"),
        "the attribute Heavy_Makeup": ("pairs", prepared, "--protocol", "style-copy", "--split", "train", "-n", 4),
        "--truths: expected the folder": ("pairs", prepared, "--protocol", "counterfactual"),
        "nowhere: expected a prepared data set": ("pairs", tmp_path / "nowhere"),
        "'dev' is not one of 'train', 'val', 'test'": ("pairs", prepared, "--split", "dev"),
        "half: expected the results of 3 pairs": ("attributes", tmp_path / "half", "--pairs", pairs, *judge),
        "empty: expected the results of 3 pairs": ("attributes", tmp_path / "empty", "--pairs", pairs, *judge),
        "list.csv: expected a column output": ("attributes", painted, "--pairs", tmp_path / "list.csv", *judge),
        "no.csv: expected pairs, found none": ("attributes", painted, "--pairs", tmp_path / "no.csv", *judge),
        "a.safetensors: expected parser weights, found attributes": ("segmentation", painted, "--pairs", pairs, *judge),
        "empty: expected a folder of pictures": (
            "fid",
            prepared,
            tmp_path / "empty",
            "--features",
            "attributes",
            *judge,
        ),
        "half: expected at least two pictures, found 1": (
            "fid",
            prepared,
            tmp_path / "half",
            "--features",
            "attributes",
            *judge,
        ),
        "'vgg' is not one of 'inception', 'parser'": ("fid", prepared, painted, "--features", "vgg"),
        "--weights: expected pytorch-fid's": ("fid", prepared, painted),
        "expected a truth for every pair": ("counterfactual", painted, "--pairs", pairs),
        "--pairs: expected the CSV": ("survey", tmp_path / "s"),
        "two methods or more": ("survey", tmp_path / "s", "--pairs", pairs, "--method", f"a={painted}"),
        "--method: expected NAME=FOLDER, found a": ("survey", tmp_path / "s", "--pairs", pairs, "--method", "a"),
        "none.json: expected a JSON file": ("report", tmp_path / "none.json"),
        "pairs.csv: found a result that exists already": ("attributes", painted, "--pairs", pairs, *judge, "-o", pairs),
        "'word' is not one of 'markdown', 'html', 'latex'": ("report", tmp_path / "none.json", "--format", "word"),
    }
    for message, arguments in cases.items():
        outcome = maskgan("eval", *arguments, "-q")
        assert (outcome.code, outcome.out) == (2, ""), (message, outcome.err)
        assert len(outcome.err.splitlines()) == 1, outcome.err
        assert message in outcome.err, outcome.err
    assert not (tmp_path / "s").exists()


def test_fewer_pairs_than_requested_are_reported(prepared: Path, tmp_path: Path, maskgan: Command) -> None:
    call = ("eval", "pairs", prepared, "--split", "train", "-o", tmp_path / "pairs.csv")
    all_there = maskgan(*call)
    offered = len((tmp_path / "pairs.csv").read_text().splitlines()) - 1
    assert f"the train split has only {offered} pairs, not the paper's 400" in all_there.err
    asked = maskgan(*call, "-n", 1000)
    assert (asked.code, asked.out) == (0, all_there.out)
    assert f"the train split has only {offered} pairs, not 1000" in asked.err
    assert f"{tmp_path / 'pairs.csv'}, which already holds this output" in asked.err
    assert "has only" not in maskgan(*call[:-2], "-n", offered).err
    other = maskgan(*call[:-2], "--protocol", "transfer", "--attribute", "Male")
    assert " pairs, not 400" in other.err, other.err  # the paper transfers Smiling alone


def test_attribute_is_required_by_transfer_only(prepared: Path, maskgan: Command) -> None:
    call = ("eval", "pairs", prepared, "--split", "train", "-n", 2)
    done = maskgan(*call, "--protocol", "transfer", "--attribute", "Male")
    assert done.code == 0, done.err
    assert [row["Male"] for row in csv.DictReader(done.lines)] == ["1", "1"]
    for wrong in (("--protocol", "transfer"), ("--attribute", "Male")):
        assert "--attribute: expected an attribute with --protocol transfer" in maskgan(*call, *wrong).err
