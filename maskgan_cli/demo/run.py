"""The whole loop on rendered faces, ending in one page of pictures and numbers."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np

from maskgan_cli.data import celebamask
from maskgan_cli.data.prepare import prepare
from maskgan_cli.data.prepared import PreparedData, Sample
from maskgan_cli.demo.page import Page
from maskgan_cli.editing.edits import Edit, Row, render_edits, style_edits, swap_edits
from maskgan_cli.editing.interpolate import MaskManifold, between, frames, positions, strip, write_animation
from maskgan_cli.editing.jobs import Result, run_edits
from maskgan_cli.editing.options import BARE, Blend
from maskgan_cli.editing.render import Renderer, Request
from maskgan_cli.errors import InputError
from maskgan_cli.files import read_csv, read_image, read_label_map, write_image, write_json
from maskgan_cli.labels import part_ids
from maskgan_cli.metrics.similarity import compare
from maskgan_cli.networks import KINDS, resolve
from maskgan_cli.synth import write_dataset
from maskgan_cli.training.host import Host, stop_on_signals
from maskgan_cli.training.run import Order, train
from maskgan_cli.weights.lookup import bundled

T = TypeVar("T")


class Watcher(Protocol):
    """Who is told how far things are; the command line's `Shell` is one."""

    def say(self, text: str) -> None:
        """A remark."""

    def track(self, items: Iterable[T], total: int, label: str, *, done: int = 0) -> Iterator[T]:
        """Pass items through, counting."""

    def progress(self, label: str) -> AbstractContextManager[Callable[[int, int], None]]:
        """Be told (done, total)."""


@dataclass(frozen=True)
class Scale:
    """How much the demo does.

    Attributes:
        faces, people: pictures to render, and of how many people.
        size: their side, the network's own.
        pairs: counterfactual pairs to measure with.
        steps, vae_steps: of training, where the demo trains.
    """

    faces: int
    people: int
    size: int
    pairs: int
    steps: int
    vae_steps: int


BUNDLED = Scale(faces=80, people=40, size=64, pairs=8, steps=0, vae_steps=0)
TRAINED = Scale(faces=400, people=100, size=64, pairs=12, steps=500, vae_steps=400)
SMALLEST = Scale(faces=24, people=24, size=64, pairs=2, steps=4, vae_steps=4)


def run_demo(
    out: Path, *, train: bool, smallest: bool, seed: int, workers: int, device: str, watch: Watcher
) -> tuple[Path, dict[str, Any]]:
    """Render faces, prepare them, train or take the bundled weights, edit, measure, write the page.

    Run again with the same settings it takes over what is there.

    Returns:
        The page, and the numbers on it (also in ``out/metrics.json``).

    Raises:
        InputError: ``out`` holds something else, or a demo of another scale.
    """
    started = time.perf_counter()
    dmn, vae = (None, None) if train or smallest else (bundled("dmn"), bundled("vae"))
    scale = SMALLEST if smallest else BUNDLED if dmn and vae else TRAINED
    raw, data = out / "faces-raw", out / "data"
    if out.is_dir() and any(out.iterdir()) and not (raw / "synth.json").is_file():
        raise InputError(out, expected="a new or empty folder, or an earlier demo's", found="other files in it")
    with watch.progress("rendering faces") as report:
        write_dataset(
            raw, scale.faces, scale.size, scale.people, seed=seed, workers=workers, counterfactuals=scale.pairs,
            progress=report,
        )  # fmt: skip
    prepared = _prepare(raw, data, scale.size, workers, watch)
    if not (dmn and vae):
        learn = partial(_train, data=prepared, seed=seed, device=device, watch=watch)
        dmn, vae = (
            learn("dmn", out=out / "dmn", steps=scale.steps),
            learn("vae", out=out / "vae", steps=scale.vae_steps),
        )
    renderer, manifold = Renderer(dmn, device), MaskManifold(vae, device)
    watch.say(f"painting with {dmn}, interpolating with {vae}")

    pairs = read_csv(raw / "counterfactuals" / "pairs.csv")
    by_id = {sample.id: sample for sample in prepared.samples}
    rows = [{"source": by_id[Path(p["source"]).stem].image, "target": by_id[Path(p["target"]).stem].image}
            for p in pairs]  # fmt: skip
    tests = prepared.split("test")
    paint = partial(_paint, renderer, out, watch)
    mouth = part_ids("mouth")
    swapped = paint("swap-mouth", rows, partial(swap_edits, parts=mouth, blend=BARE))
    blended = paint("swap-mouth-blend", rows, partial(swap_edits, parts=mouth, blend=Blend(wanted=True)))
    hair = paint("swap-hair", rows[:4], partial(swap_edits, parts=part_ids("hair"), blend=BARE))
    styled = paint("style-copy", _neighbours(tests)[:4], style_edits)
    kept = _interpolate(tests, manifold, renderer, out / "results" / "interpolate")
    same = paint("reconstruction", [{"mask": s.mask, "style_image": s.image} for s in tests[:16]],
                 partial(render_edits, blend=BARE))  # fmt: skip

    truths = [{"truth": raw / p["truth"], "mask": raw / p["truth_mask"]} for p in pairs]
    numbers: dict[str, Any] = {
        "faces": scale.faces, "size": scale.size, "data": prepared.hash,
        "weights": renderer.weights.sha256, "vae_weights": manifold.weights.sha256, "vae_pixels_kept": kept,
        "reconstruction_l1": _reconstruction_error(same, tests), "pairs": len(rows),
        "against_the_truth": _against_truth(rows, truths, {"swap-mouth": swapped, "swap-mouth --blend": blended}),
        "seconds": round(time.perf_counter() - started, 1), "cores": os.cpu_count(),
    }  # fmt: skip
    write_json(out / "metrics.json", numbers)
    page = _page(out, numbers, tests, rows, truths, swapped, blended, hair, styled)
    return page, numbers


def _prepare(raw: Path, data: Path, size: int, workers: int, watch: Watcher) -> PreparedData:
    if not (data / "dataset.json").is_file():
        source = celebamask.read_source(raw)
        fates = prepare(source, data, size=size, image_format="png", workers=workers, overwrite=False)
        for _ in watch.track(fates, len(source.candidates), "preparing"):
            pass
    return PreparedData.load(data)


def _train(kind: str, data: PreparedData, out: Path, steps: int, *, seed: int, device: str, watch: Watcher) -> Path:
    training = KINDS[kind].trainings[0]
    recipe, prepare_training = (resolve(f"{training.module}:{name}") for name in (training.recipe, "prepare_training"))
    often = max(1, steps // 3)
    changes = [f"seed={seed}", f"schedule.steps={steps}", f"schedule.checkpoint_every={often}",
               f"schedule.sample_every={steps}", f"schedule.validate_every={often}"]  # fmt: skip
    changes += ["schedule.decay_from=null"] if kind == "vae" else []
    order = Order(training.name, recipe, prepare_training, data.root, out, changes=changes)
    with stop_on_signals(watch.say) as stop, watch.progress(f"training the {kind}") as report:
        train(order, Host(device, stop, watch.say, report))
    return out


def _interpolate(samples: list[Sample], vae: MaskManifold, renderer: Renderer, folder: Path) -> float:
    """A strip and an animation between the first two samples; returns the share of pixels MaskVAE keeps."""
    maps = [read_label_map(sample.mask) for sample in samples]
    masks = list(vae.decode(between(vae.encode(maps[0]), vae.encode(maps[1]), positions(8)), len(maps[0])))
    look = read_image(samples[0].image)
    pictures = frames(masks, list(renderer.paint([Request(labels, maps[0], look) for labels in masks])))
    write_image(folder / "strip.png", strip(pictures))
    write_animation(folder / "animation.gif", pictures)
    kept = [(next(vae.decode(vae.encode(labels), len(labels))) == labels).mean() for labels in maps]
    return round(float(np.mean(kept)), 4)


def _paint(
    renderer: Renderer,
    out: Path,
    watch: Watcher,
    name: str,
    rows: list[dict[str, Path]],
    make: Callable[[Row], Edit[Request]],
) -> list[Result]:
    paths = [out / "results" / name / f"{i:02d}.png" for i in range(len(rows))]
    results = run_edits(zip(rows, paths, strict=True), make, renderer, batch_size=8, save_masks=True, overwrite=True)
    return list(watch.track(results, len(rows), name))


def _neighbours(samples: list[Sample]) -> list[dict[str, Path]]:
    """Each sample with the next one, round and round."""
    return [{"source": a.image, "target": b.image} for a, b in zip(samples, samples[1:] + samples[:1], strict=True)]


def _reconstruction_error(results: list[Result], samples: list[Sample]) -> float:
    errors = [
        np.abs(read_image(r.path).astype(float) - read_image(s.image)).mean() / 255
        for r, s in zip(results, samples, strict=False)
    ]
    return round(float(np.mean(errors)), 4)


def _against_truth(
    rows: list[dict[str, Path]], truths: list[dict[str, Path]], methods: dict[str, list[Result]]
) -> dict[str, dict[str, float]]:
    """Mean fidelity per method, the unedited source among them as the floor to beat."""
    pictures = {"the source, unedited": [row["source"] for row in rows]}
    pictures |= {name: [result.path for result in results] for name, results in methods.items()}
    table: dict[str, dict[str, float]] = {}
    for name, paths in pictures.items():
        values: list[list[float]] = []
        for row, truth, path in zip(rows, truths, paths, strict=True):
            before = read_label_map(row["source"].parent.parent / "masks" / f"{row['source'].stem}.png")
            edited = before != read_label_map(truth["mask"])
            values.append(list(vars(compare(read_image(path), read_image(truth["truth"]), edited)).values()))
        means = np.nanmean(np.array(values), axis=0)
        names = ("psnr_inside", "psnr_outside", "ssim_inside", "ssim_outside")
        table[name] = {key: round(float(value), 3) for key, value in zip(names, means, strict=True)}
    return table


def _page(
    out: Path, numbers: dict[str, Any], tests: list[Sample], rows: list[dict[str, Path]],
    truths: list[dict[str, Path]], swapped: list[Result], blended: list[Result], hair: list[Result],
    styled: list[Result],
) -> Path:  # fmt: skip
    def local(path: Path) -> str:
        return path.relative_to(out).as_posix()

    def shown(results: list[Result], pairs: list[dict[str, Path]]) -> None:
        for result, row in zip(results, pairs, strict=False):
            cells = [(local(row["source"]), "source"), (local(row["target"]), "target")]
            if result.mask is not None:
                cells.append((local(result.mask), "mask asked for"))
            page.row([*cells, (local(result.path), "result")])

    page = Page("maskgan demo")
    page.section("What this is", f"{numbers['faces']} faces of {numbers['size']} px, rendered by maskgan itself "
                 "with exact masks. None of the pictures below was in a training split. The same by hand:")  # fmt: skip
    page.commands([
        f"maskgan synth faces-raw -n {numbers['faces']} --size {numbers['size']} --counterfactuals {numbers['pairs']}",
        f"maskgan prep-data faces-raw data --size {numbers['size']}",
        "maskgan train dmn data --recipe tiny-cpu -o dmn",
        "maskgan train vae data --recipe tiny-cpu -o vae",
        "maskgan swap-mouth data/images/A.png data/images/B.png --weights dmn -o result.png",
        "maskgan interpolate data/masks/A.png data/masks/B.png --weights vae -o between",
    ])  # fmt: skip
    page.section("Faces and masks", "The nineteen classes of CelebAMask-HQ.")
    for i in range(0, min(len(tests), 6), 3):
        page.row([cell for s in tests[i : i + 3] for cell in ((local(s.image), s.id), (local(s.mask), "mask"))])
    page.section("Swap a mouth", "The source takes the mouth shape of the target and keeps its look. Rendered faces "
                 "have a true answer: the source drawn again with the target's expression.")  # fmt: skip
    for i, row in enumerate(rows[:6]):
        page.row([
            (local(row["source"]), "source"), (local(row["target"]), "target"), (local(swapped[i].path), "swap-mouth"),
            (local(blended[i].path), "with --blend"), (local(truths[i]["truth"]), "truth"),
        ])  # fmt: skip
    page.section("Against the truth", "Mean over the pairs: PSNR in dB and SSIM, where the true mask differs from the "
                 "source's (inside) and elsewhere (outside).")  # fmt: skip
    table = numbers["against_the_truth"]
    page.table(["", "PSNR inside", "PSNR outside", "SSIM inside", "SSIM outside"],
               [[name, *(f"{value:.3g}" for value in row.values())] for name, row in table.items()])  # fmt: skip
    page.section("Swap the hair", "What the source loses becomes head or what lies beside it.")
    shown(hair, rows)
    page.section("Copy a style", "The source's geometry in the target's style.")
    shown(styled, _neighbours(tests))
    page.section("Between two masks", "On the manifold of MaskVAE, from one test face's mask to another's, each "
                 f"painted in the first one's look. MaskVAE keeps {numbers['vae_pixels_kept']:.1%} of the test "
                 "masks' pixels.")  # fmt: skip
    page.picture("results/interpolate/strip.png", "masks between two, and the faces painted from them")
    page.picture("results/interpolate/animation.gif", "the same, moving")
    took = f"Took {numbers['seconds']} s on {numbers['cores']} cores."
    error = f"Mean absolute difference of unseen faces from their reconstruction: {numbers['reconstruction_l1']} of 1."
    page.section("Numbers", f"{error} {took}")
    page.commands([json.dumps({"weights": numbers["weights"], "data": numbers["data"]}, indent=2)])
    return page.write(out / "index.html")
