"""Writes docs/results.md from the JSON files in docs/results/: python docs/results.py [FOLDER [REAL [PORTRAITS]]].

FOLDER is an output folder of `maskgan reproduce` on rendered faces, REAL is one on photographs of CelebAMask-HQ, and
PORTRAITS one on public-domain portraits. If they are given, their finished tables are copied to docs/results/ first:
JSON files and figures from FOLDER, only JSON files from the others; "-" stands for a folder that is left out. All
numbers in the page's tables come from these JSON files.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from maskgan_cli.evaluation.report import COLUMNS, build_table
from maskgan_cli.evaluation.results import read_results
from maskgan_cli.files import write_bytes, write_json

DOCS = Path(__file__).parent
KEPT = DOCS / "results"
WORDS = {
    "attribute-transfer": "StarGAN has the best Smiling accuracy, as in the paper, but its pictures are the least "
    "natural. Among the methods that edit masks, MaskGAN has the best Smiling accuracy, and MaskGAN with EBST has the "
    "best identity accuracy. Part of the gain of EBST comes from longer training, as its control below shows. SPADE "
    "and Pix2PixHD-m follow the mask as well as MaskGAN does. For small classes they are better (mean IoU).",
    "fusion": "`maskgan` uses SFT (spatial feature transform), and `concat` concatenation. The identity accuracy of "
    "SFT is 11 points higher. The other differences between these two may not be significant. Pix2PixHD-m has no label "
    "branch. It follows the mask too, but its Smiling accuracy is lower.",
    "ebst": "The control is trained for the same number of steps, but without EBST. Over the seeds, EBST keeps "
    "identity slightly better than the control when mouths are swapped, and follows the mask slightly less. No other "
    "difference is significant.\n\n"
    "We also made the comparison at 64 px. There, MaskVAE reconstructed thin parts less well (mean IoU 0.62, here "
    "0.70). EBST lowered the segmentation accuracy more (by 0.6 points) and did not change identity.\n\n"
    "We suspected that EBST does not improve attributes because MaskVAE blurs brows and lips. But a better MaskVAE did "
    "not change the result. The size of the simulated edits did not change it either. We tried `--set lambda_inter=10` "
    "(smaller edits) and `--set lambda_inter=1.25` (larger edits) instead of 2.5, with a MaskVAE of 128 px (seed 0, "
    "the stage `train maskgan-ebst` of the plan). The attribute accuracy was 70.5 % with both values (2.5: 70.4 %, "
    "control: 71.6 %). After training with larger edits, the results follow the mask less: the segmentation accuracy "
    "is 91.06, 91.01 and 90.92 % for 10, 2.5 and 1.25 (control: 91.14 %).",
}
# Prefixes of the JSON files of photographs: heading and words of their part of the page.
PHOTOGRAPHS = {
    "photographs-": (
        "On photographs",
        "This is the same comparison on photographs, a small part of CelebAMask-HQ. The weights that were trained "
        "on them were not kept, and no picture of them is shown. The pairs are chosen by poses that FSA-Net "
        "estimated. The true pictures are unknown. There are so few pairs that most differences are not "
        "significant.",
    ),
    "portraits-": (
        "On public-domain portraits",
        "The same comparison on the [portraits](tutorials/portraits.md) that the bundled generator learnt from, with "
        "their people split anew. Weights that are trained on them may be published. Their masks are machine-made, and "
        "so are their labels of smiles (`recipes/label_attributes.py`, which agrees with 86 % of CelebA's labels): "
        "865 of 1,014 smile. A network that paints the average person therefore paints a smile, so the Smiling "
        "accuracy says little here. The wall time is that of a machine with two other trainings. No picture of the "
        "portraits is shown.",
    ),
}
ORDER = ("attribute-transfer", "style-copy", "identity", "fusion", "ebst", "counterfactual")
TITLES = {
    "attribute-transfer": "Attribute transfer (Smiling)",
    "style-copy": "Style copy",
    "identity": "Identity",
    "fusion": "Fusion",
    "ebst": "EBST and its control",
    "counterfactual": "Against the truth",
}


class Claim(NamedTuple):
    """A ranking that the paper reports.

    Attributes:
        words: the claim as a sentence.
        table: name of the table that it is about.
        metric: the metric that it is about.
        winner: the method that is best by this metric.
        among: the methods that ``winner`` is compared with; all methods of the table if empty.
    """

    words: str
    table: str
    metric: str
    winner: str
    among: tuple[str, ...] = ()


MASKED = ("spade", "pix2pixhd-m", "maskgan")
PAIR = ("maskgan", "maskgan-ebst")
CLAIMS = (
    Claim("StarGAN has the best Smiling accuracy", "attribute-transfer", "attribute_accuracy", "stargan"),
    Claim("StarGAN has the best FID", "attribute-transfer", "fid", "stargan"),
    Claim("SPADE has the best segmentation accuracy", "attribute-transfer", "segmentation_accuracy", "spade"),
    Claim("SPADE has it in style copy too", "style-copy", "segmentation_accuracy", "spade"),
    Claim("EBST raises Smiling accuracy", "attribute-transfer", "attribute_accuracy", "maskgan-ebst", PAIR),
    Claim("EBST raises segmentation accuracy", "attribute-transfer", "segmentation_accuracy", "maskgan-ebst", PAIR),
    Claim("EBST lowers FID", "attribute-transfer", "fid", "maskgan-ebst", PAIR),
    Claim("MaskGAN keeps identity best among mask-based methods", "identity", "identity_accuracy", "maskgan", MASKED),
    Claim("SFT is better than concatenation", "fusion", "attribute_accuracy", "maskgan", ("maskgan", "concat")),
)


def take_over(folder: Path, prefix: str = "") -> None:
    """Copy the JSON file and the figure of each finished table to docs/results/.

    Args:
        folder: an output folder of `maskgan reproduce`.
        prefix: prefix of the names of the copies; if given (photographs), figures are not copied.
    """
    for name in ORDER:
        found = folder / name / "results.json"
        if found.is_file():
            write_json(KEPT / f"{prefix}{name}.json", json.loads(found.read_text()))
            if not prefix:
                with Image.open(folder / name / "figure" / "comparison.png") as figure:
                    figure.convert("RGB").save(KEPT / f"{name}.jpg", quality=88)


def page(kept: Path) -> str:
    """Return the page as Markdown, made from the JSON files in the folder ``kept``."""
    documents = _read(kept, "")
    parts = [
        "# Results",
        "After this page you know how the methods compare under equal training, and which of the paper's rankings hold "
        "here. The tables are measured on rendered faces. Their advantage is that the correct result of an edit, the "
        "true picture, can be rendered too. The preset is `small`: pictures of 128 px, and about eleven minutes of "
        "training on one core for each method. The results look blurred, and the training is far shorter than the "
        "paper's. So the numbers do not predict the paper's numbers.",
        "How to read a table: the row *truth* shows what the judges measure on the true pictures. Brackets contain "
        "95 % intervals over the pairs. If the intervals of two rows overlap, their difference may not be significant. "
        "Each JSON file contains all numbers, hashes and commands. The command above a table reproduces it.",
    ]
    parts += [part for name, document in documents.items() for part in _section(name, document)]
    if orders := _orders(documents):
        parts += ["## The paper's orders compared with ours", orders]
    for prefix, (heading, words) in PHOTOGRAPHS.items():
        if photographs := _read(kept, prefix):
            parts += [f"## {heading}", words]
            parts += [part for name, document in photographs.items() for part in _section(name, document, prefix)]
            if orders := _orders(photographs):
                parts.append(orders)
    return "\n\n".join(parts) + "\n"


def _read(kept: Path, prefix: str) -> dict[str, dict[str, Any]]:
    files = {name: kept / f"{prefix}{name}.json" for name in ORDER}
    return {name: json.loads(file.read_text()) for name, file in files.items() if file.is_file()}


def _section(name: str, document: dict[str, Any], prefix: str = "") -> list[str]:
    machine, spent = document["machine"], document["processor_seconds"]
    gpus = ", ".join(machine["gpus"]) or "no GPU"
    time = f"{document['seconds'] / 60:.0f} minutes of wall time"
    time += f", {spent / 60:.0f} of processor time" if spent else ""
    parts = [
        f"##{'#' * bool(prefix)} {TITLES[name]}",
        f"    {document['command']}",
        f"{machine['processor']}, {machine['cores']} cores, {gpus}: {time}. "
        "A stage that several tables share counts towards the time of each table. "
        f"[{name}.json](results/{prefix}{name}.json)",
    ]
    if not prefix and name in WORDS:
        parts.append(WORDS[name])
    for table, found in document["tables"].items():
        parts += [*([f"`{table}`:"] if len(document["tables"]) > 1 else []), _table(found)]
        if "seeds" in found:
            parts.append(_seeds(found["seeds"]))
    return parts if prefix else [*parts, f"![{TITLES[name]}](results/{name}.jpg)"]


def _table(found: dict[str, Any]) -> str:
    """Return a table as Markdown, with the rows that `maskgan eval report` makes but without its list of files."""
    with tempfile.TemporaryDirectory() as folder:
        table = build_table(read_results(write_json(Path(folder) / "results.json", found["results"])))
    rows = [["method", *table.headings], ["---"] * (len(table.headings) + 1)]
    for method, cells in table.rows:
        rows.append([method, *((f"**{c.text}**" if c.best else c.text) + f" {c.interval}".rstrip() for c in cells)])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _seeds(seeds: dict[str, dict[str, Any]]) -> str:
    rows = [["mean over the seeds", "EBST", "control", "difference", "95 % interval of the difference"], ["---"] * 5]
    for metric, row in seeds.items():
        low, high = row["interval_95"]
        words = "not significant" if low <= 0 <= high else "significant"
        rows.append(
            [
                metric,
                *(f"{row[key]:.4f}" for key in ("ebst", "control", "difference")),
                f"{low:.4f} to {high:.4f}, {words}",
            ]
        )
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _orders(documents: dict[str, Any]) -> str:
    rows = [["the paper's claim", "confirmed here?"], ["---", "---"]]
    for claim in CLAIMS:
        if claim.table in documents:
            rows.append([claim.words, judged(claim, documents[claim.table]["tables"][claim.table]["rows"])])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows) if rows[2:] else ""


def judged(claim: Claim, rows: dict[str, dict[str, Any]]) -> str:
    """Return "yes", "no" or "a tie", whether a claim holds for the rows of a table, and the values of all methods."""
    rows = {name: row for name, row in rows.items() if name != "truth" and (not claim.among or name in claim.among)}
    metric = next(
        (
            m
            for row in rows.values()
            for m in row
            if m == claim.metric or (claim.metric == "fid" and m.startswith("frechet/"))
        ),
        claim.metric,
    )
    values = {name: row[metric]["value"] for name, row in rows.items() if metric in row}
    column = COLUMNS[metric.split("/")[0]]
    best = (max if column.more_is_better else min)(values.values())
    first = [name for name, value in values.items() if value == best]
    holds = claim.winner in first and len(first) == 1
    told = ", ".join(f"{name} {value * column.factor:.{column.digits}f}" for name, value in values.items())
    return f"{'yes' if holds else 'no' if claim.winner not in first else 'a tie'} ({told})"


if __name__ == "__main__":
    KEPT.mkdir(exist_ok=True)
    for folder, prefix in zip(sys.argv[1:], ("", *PHOTOGRAPHS), strict=False):
        if folder != "-":
            take_over(Path(folder), prefix)
    write_bytes(DOCS / "results.md", page(KEPT).encode())
