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
    "attribute-transfer": "StarGAN has the best Smiling accuracy, as in the paper, in the least natural pictures: a "
    "few minutes teach it to please a critic. Of the methods that paint masks, MaskGAN smiles most and keeps the "
    "person best; what EBST adds to that here is partly longer training, see its control below. SPADE and Pix2PixHD-m "
    "follow the mask as well as MaskGAN, small classes better (mean IoU).",
    "fusion": "SFT keeps the person better than concatenation, by 11 points; what else differs between the two may be "
    "chance. Without a label branch the mask is followed too, but a smile is seldom seen in it.",
    "ebst": "Over the seeds, beside training on without it, EBST keeps the person a little better where mouths are "
    "swapped and follows the mask a little less; nothing else differs by more than chance. So it was at 64 px, with a "
    "MaskVAE that kept less of thin parts (mean IoU 0.62, here 0.70): the mask suffered more (0.6 points), the person "
    "gained nothing. That MaskVAE blurs brows and lips was our guess at why EBST does not help attributes; a better "
    "one did not change that. Nor did the size of the edits, with a MaskVAE of 128 px: with `--set lambda_inter=10` "
    "and `1.25` in place of 2.5 (seed 0, the stage `train maskgan-ebst` of the plan) attributes were right in 70.5 and "
    "70.5 % of the edits (70.4; the control 71.6), and the larger the edits, the more of the mask was lost: 91.06, "
    "91.01 and 90.92 % (the control 91.14).",
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
    Claim("MaskGAN keeps identity best of those that paint masks", "identity", "identity_accuracy", "maskgan", MASKED),
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
        "The paper's tables, made here with all methods trained by equal means, on rendered faces, whose truth is "
        "known. They compare methods with each other at this size; they say nothing of the paper's own numbers. Shares "
        "and means carry 95 % intervals over the pairs: rows whose intervals overlap may differ by chance. Each JSON "
        "holds every number, hash and command. At the small preset each painter learns for about eleven minutes of "
        "one core at 128 px: faces that are faces, but soft, and far from the paper's training. Read the row of the "
        "truth first: that is what the judges say of the right answers.",
    ]
    parts += [part for name, document in documents.items() for part in _section(name, document)]
    if orders := _orders(documents):
        parts += ["## The paper's orders beside ours", orders]
    if photographs:
        parts += [
            "## On photographs",
            "The same on real faces of CelebAMask-HQ, as far as they reach. The weights learnt on them are not kept, "
            "and no picture of them is shown. The poses that pairs are chosen by are a network's (FSA-Net). Nobody "
            "knows the true answers here, and with so few pairs most rows may differ by chance.",
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
    time = f"{document['seconds'] / 60:.0f} minutes" + (f", {spent / 60:.0f} of one core" if spent else "")
    parts = [
        f"##{'#' * photographs} {TITLES[name]}", f"    {document['command']}",
        f"{machine['processor']}, {machine['cores']} cores, {gpus}: {time}, what it shares with other tables included. "
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
        words = "chance would do" if low <= 0 <= high else "more than chance"
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
