"""Compare an edited picture with its ground truth, by PSNR and SSIM inside and outside the edited region."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from skimage.metrics import structural_similarity

from maskgan_cli.files import Picture

Region = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Fidelity:
    """Similarity of an edited picture to its ground truth.

    Attributes:
        psnr_inside, psnr_outside: peak signal-to-noise ratio in dB inside and outside the edited region;
            infinite if all pixels are equal, NaN for an empty region.
        ssim_inside, ssim_outside: mean structural similarity (Wang et al. 2004) inside and outside the edited region;
            at most 1, NaN for an empty region.
    """

    psnr_inside: float
    psnr_outside: float
    ssim_inside: float
    ssim_outside: float


def compare(result: Picture, truth: Picture, edited: Region) -> Fidelity:
    """Measure the similarity of an edited picture to its ground truth.

    Args:
        result: (S, S, 3), the edited picture.
        truth: (S, S, 3), the picture that a perfect edit would give.
        edited: (S, S), True in the edited region.
    """
    error = ((result.astype(np.float64) - truth) ** 2).mean(-1)
    _, similarity = structural_similarity(  # type: ignore[no-untyped-call]
        result, truth, channel_axis=-1, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, full=True
    )
    similarity = similarity.mean(-1)
    inside, outside = (mean_over(error, region) for region in (edited, ~edited))
    return Fidelity(_decibel(inside), _decibel(outside), mean_over(similarity, edited), mean_over(similarity, ~edited))


def mean_over(values: npt.NDArray[np.float64], region: Region) -> float:
    """Return the mean of values (H, W) where ``region`` (H, W) is True; NaN for an empty region."""
    return float(values[region].mean()) if region.any() else float("nan")


def _decibel(squared_error: float) -> float:
    """Return the PSNR in dB of a mean squared error of 8-bit pictures; infinite for 0."""
    return float("inf") if squared_error == 0 else float(10 * np.log10(255**2 / squared_error))
