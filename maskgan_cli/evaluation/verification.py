"""Accuracy with which an identity network decides whether two faces of a data set show one person.

`metrics.verification` describes the protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from maskgan_cli.data.alignment import Points, crop_points, points_of_mask
from maskgan_cli.data.picture_batches import read_pictures
from maskgan_cli.data.prepared import Sample, identities_of
from maskgan_cli.errors import InputError
from maskgan_cli.files import Picture, read_json, read_label_map
from maskgan_cli.judges.finder import FaceFinder
from maskgan_cli.judges.identity import IdentityJudge
from maskgan_cli.metrics.verification import balanced_pairs, measure

POINT_SOURCES: Final = ("mask", "mtcnn", "crop")
_BATCH = 32

Track = Callable[[Iterator[Tensor], int], Iterator[Tensor]]


def verify_samples(
    samples: list[Sample],
    judge: IdentityJudge,
    *,
    pairs: int,
    seed: int,
    points: str,
    track: Track = lambda batches, total: batches,
) -> dict[str, Any]:
    """Measure how accurately a network decides whether pairs of faces show one person; half of the pairs do.

    Args:
        samples: the samples of one split, with identities.
        judge: the identity network.
        pairs: number of pairs.
        seed: seed of the choice of pairs.
        points: source of the five landmarks by which a face is aligned: its ``mask``, the detector ``mtcnn``, or
            ``crop`` (the landmarks of an average CelebA-HQ crop, which are also used if MTCNN finds no face).
        track: wraps the batches of embeddings in an iterator that shows the progress.

    Returns:
        a dict with the metrics of `metrics.verification.measure` (accuracy, threshold, ...), the mean cosine
        similarities of both kinds of pairs, the numbers of faces and people, and the settings.

    Raises:
        InputError: there are no identities, no masks for ``points="mask"``, or fewer than ten pairs of one person.
    """
    people = identities_of(samples)
    chosen, same = balanced_pairs(people, pairs, seed)
    if len(chosen) < 20:
        raise InputError(
            samples[0].image.parent.parent,
            expected="at least 10 pairs of one person, and as many of two",
            found=f"{len(chosen) // 2}",
            hint="choose a split with several pictures of a person (--split)",
        )
    used, places = np.unique(chosen, return_inverse=True)
    count = -(-len(used) // _BATCH)
    embedded = torch.cat(list(track(_embed([samples[i] for i in used], judge, points), count)))
    first, second = embedded[places.reshape(-1, 2)].unbind(1)
    scores = (first * second).sum(1).double().numpy()
    result = measure(scores, same)
    if judge.threshold is not None:
        result["stored_threshold"] = judge.threshold
        result["accuracy_at_stored_threshold"] = float(((scores >= judge.threshold) == same).mean())
    means = {"mean_cosine_same": float(scores[same].mean()), "mean_cosine_different": float(scores[~same].mean())}
    settings = {"network": judge.name, "sha256": judge.sha256, "points": points, "seed": seed}
    return {**result, **means, "faces": len(used), "people": len({people[i] for i in used}), **settings}


def read_threshold(path: Path, judge: IdentityJudge) -> float:
    """Read the threshold of the cosine similarity from a JSON file that ``maskgan eval verify -o`` wrote.

    Raises:
        InputError: the file has no threshold, or its threshold was measured with another network than ``judge``.
    """
    document = read_json(path)
    found = document.get("threshold") if isinstance(document, dict) else None
    if not isinstance(found, int | float) or isinstance(found, bool):
        raise InputError(path, expected="a document of `maskgan eval verify`", found="no threshold")
    if document.get("sha256") != judge.sha256:
        raise InputError(
            path,
            expected="the threshold of this identity network",
            found="that of another network",
            hint="measure it with `maskgan eval verify`",
        )
    return float(found)


def _embed(samples: list[Sample], judge: IdentityJudge, source: str) -> Iterator[Tensor]:
    """Yield the embeddings (N, D) of the samples in batches, as CPU tensors of unit vectors.

    ``source`` is the source of the landmarks, see `verify_samples`.
    """
    finder = FaceFinder(judge.device) if source == "mtcnn" else None
    queue = iter(samples)
    for _, images, _ in read_pictures([sample.image for sample in samples], _BATCH):
        points = np.stack(
            [_points(next(queue), picture, source, finder) for picture in images.permute(0, 2, 3, 1).numpy()]
        )
        yield judge(images, points).cpu()


def _points(sample: Sample, picture: Picture, source: str, finder: FaceFinder | None) -> Points:
    """Return the five landmarks (5, 2) of a face in pixels.

    Args:
        sample: the sample; its mask is used if ``source`` is "mask".
        picture: the picture (S, S, 3).
        source: source of the landmarks, see `verify_samples`.
        finder: the detector; None unless ``source`` is "mtcnn".
    """
    if source == "mask":
        return points_of_mask(read_label_map(sample.mask))
    found = finder.find(picture) if finder else None
    return crop_points(picture.shape[0]) if found is None else found
