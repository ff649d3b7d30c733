"""Combines several prepared data sets, for example photos and rendered faces, into one source."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from maskgan_cli.data.prepared import PreparedData, Sample
from maskgan_cli.data.sources import Candidate, Source
from maskgan_cli.errors import InputError

COLUMN: Final = "source"  # column of the manifest with the name of the data set that a sample is from
_LOCAL: Final = ("identity", "scene")  # columns whose values are unique only within one data set


def read_source(roots: Sequence[Path]) -> Source:
    """Return the samples of several prepared data sets as one `Source`, a list of samples to prepare.

    Each sample keeps its split. Ids, identities and scenes get the name of their data set as a prefix, because person 3
    of one data set is not person 3 of another one. The column ``source`` of the manifest contains this name, so that
    recipes can balance the data sets with ``data.balance: source``.

    Args:
        roots: folders of two or more data sets, all with masks or all without.

    Raises:
        InputError: there are fewer than two folders, a folder is not a prepared data set, two have the same name, or
            only some of them have masks.
    """
    if len(roots) < 2:
        raise InputError("merge-data", expected="two or more prepared data sets", found=str(len(roots)))
    sets = [PreparedData.load(root) for root in roots]
    names = [root.resolve().name for root in roots]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise InputError("merge-data", expected="data sets with different names", found=f"{twice} twice")
    for data in sets:
        data.check_manifest()
        if data.masked != sets[0].masked:
            raise InputError(
                data.root,
                expected=f"{'' if sets[0].masked else 'no '}masks, as in {sets[0].root}",
                found="none" if sets[0].masked else "masks",
            )
    candidates = [_candidate(sample, name) for name, data in zip(names, sets, strict=True) for sample in data.samples]
    columns = list(dict.fromkeys([COLUMN, *(column for c in candidates for column in c.fields)]))
    return Source("+".join(names), candidates, columns, masked=sets[0].masked)


def _candidate(sample: Sample, name: str) -> Candidate:
    fields = {column: f"{name}-{value}" if column in _LOCAL else value for column, value in sample.fields.items()}
    masks = {} if sample.mask_file is None else {"": sample.mask_file}
    return Candidate(f"{name}-{sample.id}", sample.image, masks, sample.split, {**fields, COLUMN: name})
