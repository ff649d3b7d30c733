"""Write the simulated edits of a data set's faces (paper, Sec. 3.2) to files, for inspection and evaluation.

A simulated edit moves the latent code of a face's mask towards the code of another face (M_inter), or away from that
code (M_outer), and decodes the result with MaskVAE.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch

from maskgan_cli.data.edit_files import EDITS
from maskgan_cli.data.prepared import Sample
from maskgan_cli.editing.masks.interpolate import Codes, MaskManifold
from maskgan_cli.files import encode_label_map, keep_or_write, read_label_map
from maskgan_cli.models.mask_vae import simulated_edits

_FILES: Final = ("mask", "style_image", "style_mask", "output", "source", "target", "source_mask", "target_mask")
COLUMNS: Final = (*_FILES, "protocol", "split", "seed", "rule")


def write_edits(
    samples: Sequence[Sample],
    manifold: MaskManifold,
    out: Path,
    *,
    lambda_inter: float,
    seed: int,
    sampled_codes: bool = False,
    attributes: Sequence[str] = (),
    overwrite: bool = False,
) -> Iterator[dict[str, str]]:
    """Write the two simulated edits of each face's mask to files, and yield one row of a CSV list for each file.

    The edited masks M_inter and M_outer have the size of the face's own mask. The other face of an edit is drawn at
    random from ``samples``. A row is a dict with the keys `COLUMNS`. The rows form a list of pairs for ``maskgan
    render`` and for the evaluation: these edits change a face's shape a little, and should not change its attributes.

    Args:
        samples: two or more faces with masks.
        manifold: a trained MaskVAE.
        out: folder for the label maps.
        lambda_inter: the latent code moves by 1 / ``lambda_inter`` of the distance to the other face's code.
        seed: seed of the random choice of the other faces, and of the codes if they are sampled.
        sampled_codes: sample each mask's code from its distribution, as in the paper; False: use the mean.
        attributes: names of attributes that are added to the rows as columns, with the manifest's values 1 or -1.
        overwrite: replace existing label maps with other content.

    Raises:
        InputError: a label map exists with other content, and ``overwrite`` is false.
    """
    order = torch.randperm(len(samples), generator=torch.Generator().manual_seed(seed)).tolist()
    reference = dict(zip(order, order[1:] + order[:1], strict=True))  # a ring, so no face is its own reference
    rule = f"z -/+ (z_ref - z) / {lambda_inter:g}, z_ref of another face of the split"
    rule += ", codes drawn" if sampled_codes else ""

    draws = np.random.default_rng(seed).integers(1 << 62, size=len(samples)).tolist()

    @functools.cache  # every face is also a reference
    def code_and_side(index: int) -> tuple[Codes, int]:
        """Return the latent code (1, latent) of a face's mask, and the side of the mask in pixels."""
        labels = read_label_map(samples[index].mask)
        noise = torch.Generator().manual_seed(draws[index]) if sampled_codes else None
        return manifold.encode(labels, noise), len(labels)

    for index, sample in enumerate(samples):
        other = samples[reference[index]]
        code, side = code_and_side(index)
        with torch.inference_mode():
            pair = simulated_edits(manifold.network, code, code_and_side(reference[index])[0], lambda_inter, side)
        for name, edit in zip(EDITS, pair, strict=True):
            mask = out / f"{sample.id}-{name}.png"
            keep_or_write(mask, encode_label_map(edit[0].to("cpu", torch.uint8).numpy()), overwrite=overwrite)
            files = (mask, sample.image, sample.mask, f"{sample.id}-{name}.png", sample.image, other.image)
            values = (*files, sample.mask, other.mask, "simulated-edits", sample.split, seed, rule)
            row = dict(zip(COLUMNS, map(str, values), strict=True))
            yield row | {name: sample.fields[name] for name in attributes}
