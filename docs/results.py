"""docs/results.md, from the JSON that `maskgan reproduce` wrote: python docs/results.py [FOLDER [REAL]].

With a folder (e.g. reproduce/modest), its finished tables are taken over into docs/results/ first; those of a second
one, made of photographs, without their figures. The page holds no number that is not in those files.
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
    "attribute-transfer": "StarGAN has the best Smiling accuracy, as in the paper, but the least natural pictures. Of "
    "the methods that edit masks, MaskGAN has the best Smiling accuracy and, with EBST, the best identity accuracy. "
    "Part of the gain of EBST comes from longer training; see its control below. SPADE and Pix2PixHD-m follow the mask "
    "as well as MaskGAN, and small classes better (mean IoU).",
    "fusion": "SFT has an identity accuracy 11 points above that of concatenation; the other differences between the "
    "two may not be significant. Without a label branch (pix2pixhd-m) the mask is followed too, but Smiling is seen "
    "less often.",
    "ebst": "Compared over the seeds with the same number of steps without it, EBST keeps identity slightly better "
    "where mouths are swapped and follows the mask slightly less. No other difference is significant. At 64 px, with "
    "a MaskVAE that kept less of thin parts (mean IoU 0.62, here 0.70), segmentation accuracy fell more (0.6 points) "
    "and identity did not change. We suspected that EBST does not help attributes because MaskVAE blurs brows and "
    "lips, but a better MaskVAE did not change that. The size of the edits did not either: with a MaskVAE of 128 px "
    "and `--set lambda_inter=10` and `1.25` instead of 2.5 (seed 0, the stage `train maskgan-ebst` of the plan), "
    "attribute accuracy was 70.5 and 70.5 % (2.5: 70.4; control: 71.6). Larger edits follow the mask less: "
    "segmentation accuracy 91.06, 91.01 and 90.92 % for 10, 2.5 and 1.25 (control: 91.14).",
}  # fmt: skip
REAL = "photographs-"  # before the names of what photographs gave
ORDER = ("attribute-transfer", "style-copy", "identity", "fusion", "ebst", "counterfactual")
TITLES = {
    "attribute-transfer": "Attribute transfer (Smiling)", "style-copy": "Style copy", "identity": "Identity",
    "fusion": "Fusion", "ebst": "EBST and its control", "counterfactual": "Against the truth",
}  # fmt: skip


class Claim(NamedTuple):
    """What the paper says of an order: in ``table``, ``winner`` is best of ``among`` by ``metric``."""

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
    Claim("MaskGAN keeps identity best of mask-based methods", "identity", "identity_accuracy", "maskgan", MASKED),
    Claim("SFT is better than concatenation", "fusion", "attribute_accuracy", "maskgan", ("maskgan", "concat")),
)  # fmt: skip


def take_over(folder: Path, prefix: str = "") -> None:
    """The JSON of every finished table of a folder of `maskgan reproduce`, and its figure; no figure of photographs."""
    for name in ORDER:
        found = folder / name / "results.json"
        if found.is_file():
            write_json(KEPT / f"{prefix}{name}.json", json.loads(found.read_text()))
            if not prefix:
                with Image.open(folder / name / "figure" / "comparison.png") as figure:
                    figure.convert("RGB").save(KEPT / f"{name}.jpg", quality=88)


def page(kept: Path) -> str:
    """The whole page."""
    documents, photographs = _read(kept, ""), _read(kept, REAL)
    parts = [
        "# Results",
        "After this page you know how the methods compare under equal training, and which of the paper's orders hold. "
        "The tables are measured on rendered faces, whose true pictures are known, at the small preset: 128 px, about "
        "eleven minutes of one core for each method. The faces are soft, and the training is far shorter than the "
        "paper's, so the numbers do not predict the paper's.",
        "How to read a table: the row *truth* is what the judges measure on the true pictures. Brackets are 95 % "
        "intervals over the pairs; a difference between rows with overlapping intervals may not be significant. Each "
        "JSON file has all numbers, hashes and commands. The command above a table makes it again.",
    ]
    parts += [part for name, document in documents.items() for part in _section(name, document)]
    if orders := _orders(documents):
        parts += ["## The paper's orders compared with ours", orders]
    if photographs:
        parts += [
            "## On photographs",
            "The same on a small part of CelebAMask-HQ. The weights trained on it were not kept, and no picture of it "
            "is shown. Pairs are chosen by poses that FSA-Net estimated. The true pictures are unknown, and with so "
            "few pairs most differences are not significant.",
        ]
        parts += [part for name, document in photographs.items() for part in _section(name, document, photographs=True)]
        if orders := _orders(photographs):
            parts.append(orders)
    return "\n\n".join(parts) + "\n"


def _read(kept: Path, prefix: str) -> dict[str, dict[str, Any]]:
    files = {name: kept / f"{prefix}{name}.json" for name in ORDER}
    return {name: json.loads(file.read_text()) for name, file in files.items() if file.is_file()}


def _section(name: str, document: dict[str, Any], *, photographs: bool = False) -> list[str]:
    machine, spent = document["machine"], document["processor_seconds"]
    gpus = ", ".join(machine["gpus"]) or "no GPU"
    time = f"{document['seconds'] / 60:.0f} minutes of wall time"
    time += f", {spent / 60:.0f} of processor time" if spent else ""
    parts = [
        f"##{'#' * photographs} {TITLES[name]}", f"    {document['command']}",
        f"{machine['processor']}, {machine['cores']} cores, {gpus}: {time}. "
        "Stages that several tables share are counted in each. "
        f"[{name}.json](results/{REAL * photographs}{name}.json)",
    ]  # fmt: skip
    if not photographs and name in WORDS:
        parts.append(WORDS[name])
    for table, found in document["tables"].items():
        parts += [*([f"`{table}`:"] if len(document["tables"]) > 1 else []), _table(found)]
        if "seeds" in found:
            parts.append(_seeds(found["seeds"]))
    return parts if photographs else [*parts, f"![{TITLES[name]}](results/{name}.jpg)"]


def _table(found: dict[str, Any]) -> str:
    """The table as `maskgan eval report` makes it, without its list of files."""
    with tempfile.TemporaryDirectory() as folder:
        table = build_table(read_results(write_json(Path(folder) / "results.json", found["results"])))
    rows = [["method", *table.headings], ["---"] * (len(table.headings) + 1)]
    for method, cells in table.rows:
        rows.append([method, *((f"**{c.text}**" if c.best else c.text) + f" {c.interval}".rstrip() for c in cells)])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _seeds(seeds: dict[str, dict[str, Any]]) -> str:
    rows = [["over the seeds", "EBST", "control", "difference", "95 %"], ["---"] * 5]
    for metric, row in seeds.items():
        low, high = row["interval_95"]
        words = "not significant" if low <= 0 <= high else "significant"
        rows.append([metric, *(f"{row[key]:.4f}" for key in ("ebst", "control", "difference")),
                     f"{low:.4f} to {high:.4f}, {words}"])  # fmt: skip
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _orders(documents: dict[str, Any]) -> str:
    rows = [["the paper says", "here"], ["---", "---"]]
    for claim in CLAIMS:
        if claim.table in documents:
            rows.append([claim.words, judged(claim, documents[claim.table]["tables"][claim.table]["rows"])])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows) if rows[2:] else ""


def judged(claim: Claim, rows: dict[str, dict[str, Any]]) -> str:
    """Whether a claim holds of a table's rows, and by which numbers."""
    rows = {name: row for name, row in rows.items() if name != "truth" and (not claim.among or name in claim.among)}
    metric = next((m for row in rows.values() for m in row if m == claim.metric or
                   (claim.metric == "fid" and m.startswith("frechet/"))), claim.metric)  # fmt: skip
    values = {name: row[metric]["value"] for name, row in rows.items() if metric in row}
    column = COLUMNS[metric.split("/")[0]]
    best = (max if column.more_is_better else min)(values.values())
    first = [name for name, value in values.items() if value == best]
    holds = claim.winner in first and len(first) == 1
    told = ", ".join(f"{name} {value * column.factor:.{column.digits}f}" for name, value in values.items())
    return f"{'yes' if holds else 'no' if claim.winner not in first else 'a tie'} ({told})"


if __name__ == "__main__":
    KEPT.mkdir(exist_ok=True)
    for folder, prefix in zip(sys.argv[1:], ("", REAL), strict=False):
        take_over(Path(folder), prefix)
    write_bytes(DOCS / "results.md", page(KEPT).encode())
