"""Move a face's mask along an edit direction of MaskVAE's latent space, e.g. smile, without losing the mask's detail.

MaskVAE decodes the mask's code, and the code after one step. The two decoded masks are coarser than the mask, so they
are not used directly. Only the change between them is measured, and applied to the mask's own parts: the curves of the
mouth, the lines of the brows, the width of the nose, the outline of the face, and the signed distances (see `borders`)
of all other classes. Everything is measured in the face's upright frame (see `upright`), and drawn at the mask's size.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np

from maskgan_cli.editing.masks import borders, hair_shape, mouth_shape, outline_shape, part_shapes
from maskgan_cli.editing.masks.mouth_shape import Mouth, MouthChange, measure_mouth
from maskgan_cli.editing.masks.outline_shape import Outline, measure_outline
from maskgan_cli.editing.masks.part_shapes import Brow, Nose, measure_nose
from maskgan_cli.editing.masks.upright import Field, Upright
from maskgan_cli.labels import CLASSES, GROUPS, ID, LabelMap

if TYPE_CHECKING:
    from maskgan_cli.editing.masks.interpolate import Codes, MaskManifold

T = TypeVar("T")
PIECES: Final = ("borders", "nose", "brows", "mouth")  # pieces that directions of a data set's attributes move
_FINE: Final = 2  # MaskVAE's masks are decoded at this multiple of its own size, to measure small parts
_SPECK: Final = 2e-4  # share of the mask's area; smaller connected changes are undone
# Classes that are moved as shapes, not by signed distances.
_DRAWN: Final = [ID[name] for name in ("nose", *GROUPS["brows"], *GROUPS["mouth"])]


@dataclass(frozen=True)
class Motion:
    """The measured change of a mask when MaskVAE's latent code moves one step along an edit direction (e.g. smile).

    `apply` moves the mask by any number of steps.

    Attributes:
        frame: the face's upright frame (coordinate system with eyes and mouth at fixed positions): see `upright`.
        reach: ids of the classes that may change.
        pieces: names of the pieces of the face that move: see `measure_motion`.
        mouth, brows, nose, outline: the mask's own parts, measured in the frame; None if the mask does not show them.
        eyes: dict from the name of a brow to the row, in the frame, of the eye below this brow.
        mouth_change, brow_change, nose_change, outline_change: change of each part for one step; None if the part does
            not move.
        ids: ids of the N other classes that move.
        depths: (N, side, side), signed distances of these classes in the frame before the change.
        more: changes of ``depths`` after one, two, ... steps forwards.
        less: changes of ``depths`` after one, two, ... steps backwards.
        lengthens: whether only hair may be added or removed.
    """

    frame: Upright
    reach: list[int]
    pieces: tuple[str, ...]
    mouth: Mouth | None = None
    mouth_change: MouthChange | None = None
    brows: dict[str, Brow | None] = field(default_factory=dict)
    eyes: dict[str, float] = field(default_factory=dict)
    brow_change: Field | None = None
    nose: Nose | None = None
    nose_change: Field | None = None
    outline: Outline | None = None
    outline_change: Field | None = None
    ids: list[int] = field(default_factory=list)
    depths: Field | None = None
    more: tuple[Field, ...] = ()
    less: tuple[Field, ...] = ()
    lengthens: bool = False

    def apply(self, labels: LabelMap, amount: float) -> LabelMap:
        """Move the mask by a number of steps along the edit direction.

        Args:
            labels: (S, S), the mask whose change was measured.
            amount: number of steps, also fractions; below 0 backwards.

        Returns:
            (S, S), the moved mask, a new array.
        """
        if amount == 0:
            return labels.copy()
        result = self._with_borders(labels, amount)
        if self.outline is not None and self.outline_change is not None:
            out = amount * self.outline_change
            result = outline_shape.move_outline(result, self.frame, self.outline, out, self.reach)
        if self.nose is not None and self.nose_change is not None:
            result = part_shapes.widen_nose(result, self.frame, self.nose, amount * self.nose_change)
        if self.brow_change is not None:
            result = part_shapes.move_brows(result, self.frame, self.brows, amount * self.brow_change)
        if self.mouth is not None and self.mouth_change is not None:
            result = mouth_shape.draw_mouth(result, self.frame, self.mouth, self.changed_mouth(amount))
        return borders.without_specks(result, labels, _SPECK * labels.size)

    def changed_mouth(self, amount: float) -> Mouth:
        """Return the face's mouth after ``amount`` steps; ``mouth`` and ``mouth_change`` must not be None."""
        assert self.mouth is not None and self.mouth_change is not None
        change = self.mouth_change if amount > 0 else self.mouth_change.reversed
        nose = self.nose.bottom if self.nose is not None else None
        return mouth_shape.changed_mouth(self.mouth, change, abs(amount), nose)

    def opening_left(self, amount: float) -> float:
        """Return the distance between the lips after ``amount`` steps, as a share of the mouth's width.

        The distance is below 0 if the steps would close the lips further than they can close.
        """
        assert self.mouth is not None and self.mouth_change is not None
        return self.mouth.opening / self.mouth.width + amount * float(self.mouth_change.gap.max())

    def _with_borders(self, labels: LabelMap, amount: float) -> LabelMap:
        """Return a mask (S, S) in which only the classes ``ids`` have moved by ``amount`` steps.

        These classes are moved by changing their signed distances. Nose, brows and mouth stay unchanged.
        """
        knots = self.more if amount > 0 else self.less
        if self.depths is None or not knots:
            return labels
        change = _between(knots, abs(amount))
        drawn = np.isin(labels, _DRAWN)
        bare = np.where(drawn, ID["skin"], labels) if not self.lengthens else labels
        moved = borders.move_borders(bare, self.frame, self.depths, change, self.ids)
        if self.lengthens:
            return hair_shape.lengthened(labels, moved, longer=amount > 0)
        return np.where(drawn & (moved == ID["skin"]), labels, moved)


def measure_motion(
    labels: LabelMap,
    manifold: MaskManifold,
    step: Codes,
    *,
    pieces: Collection[str] = PIECES,
    reach: Collection[str] = CLASSES,
    both: bool = True,
) -> Motion:
    """Measure how a mask changes when MaskVAE's latent code moves one step along an edit direction (e.g. smile).

    Args:
        labels: (S, S), the mask.
        manifold: a trained MaskVAE.
        step: (1, latent), vector that is added to the latent code for one step.
        pieces: names of the pieces that move: mouth, brows, nose, outline (of the face), chin, hair, and borders (of
            all other classes).
        reach: names of the classes that may change.
        both: also measure the change for one step backwards, and use for each part the mean of the change forwards and
            the negated change backwards.
    """
    frame = Upright.of(labels, manifold.size)
    upright = frame.labels(labels)
    code = manifold.encode(upright)
    scale = _FINE if set(pieces) & {"mouth", "brows", "nose"} else 1
    amounts = (0, 1, -1, 2, -2) if "hair" in pieces else (0, 1, -1) if both else (0, 1)
    decoded = [next(manifold.decode(code + amount * step, frame.side * scale)) for amount in amounts]
    fine = max(1, round(1 / frame.scale))
    own = frame.labels(labels, fine=fine) if fine > 1 else upright
    allowed, whole = [ID[name] for name in reach], set(pieces)
    weights = outline_shape.sides_and_chin() if "outline" in whole else outline_shape.chin()
    moves = dict[str, Any]()
    if "mouth" in whole:
        moves["mouth_change"] = _mouth(decoded, scale)
    if "brows" in whole:
        moves["brow_change"] = _mean(lambda a, b: part_shapes.brow_change(a, b, fine=scale), decoded)
    if "nose" in whole:
        moves["nose_change"] = _mean(part_shapes.nose_change, [measure_nose(one, fine=scale) for one in decoded])
    if whole & {"outline", "chin"}:
        moves["outline_change"] = _outline(decoded, scale, weights)
    if whole & {"borders", "hair"}:
        moves |= _borders(upright, [one[::scale, ::scale] for one in decoded], allowed, lengthens="hair" in whole)
    return Motion(
        frame,
        allowed,
        tuple(pieces),
        mouth=measure_mouth(own, fine=fine),
        brows={name: part_shapes.measure_brow(own, name, fine=fine) for name in GROUPS["brows"]},
        nose=measure_nose(own, fine=fine),
        outline=measure_outline(own, fine=fine),
        eyes=_eyes(own, fine),
        **moves,
    )


def _outline(decoded: Sequence[LabelMap], scale: int, weights: Field) -> Field | None:
    """Measure the change of the face's outline for one step along an edit direction.

    Return the outward motion (180,) of the outline at each ray: see `outline_change`. Return None if MaskVAE's masks
    show no face.

    Args:
        decoded: masks that MaskVAE decodes after 0 and 1 steps, and optionally after -1 steps.
        scale: pixels of these masks per pixel of the upright frame.
        weights: (180,), factors for the rays of the outline: see `outline_change`.
    """
    first = measure_outline(decoded[0], fine=scale)
    if first is None:
        return None
    outlines = [measure_outline(one, fine=scale, middle=first.middle) for one in decoded]
    return _mean(lambda a, b: outline_shape.outline_change(a, b, weights), outlines)


def _eyes(own: LabelMap, fine: int) -> dict[str, float]:
    """Return a dict from the name of a brow to the mean row, in the frame, of the eye below this brow.

    Hidden eyes are left out.

    Args:
        own: the upright mask.
        fine: pixels of this mask per pixel of the upright frame.
    """
    found = {}
    for eye, brow in (("l_eye", "l_brow"), ("r_eye", "r_brow")):
        rows = np.flatnonzero((own == ID[eye]).any(1))
        if len(rows):
            found[brow] = float(rows.mean() + 0.5) / fine
    return found


def _mouth(decoded: list[LabelMap], scale: int) -> MouthChange | None:
    """Measure how a mouth changes for one step along an edit direction; return None if no mouth can be measured.

    For the arguments see `_outline`.
    """
    mouths = [measure_mouth(one, fine=scale) for one in decoded]
    forth = mouth_shape.mouth_change(mouths[0], mouths[1])
    back = mouth_shape.mouth_change(mouths[0], mouths[2]) if len(mouths) > 2 else None
    change = forth or (back and back.reversed)
    if forth and back:
        change = mouth_shape.mean_change(forth, back.reversed)
    return change


def _mean(change: Callable[[T, T], Field | None], masks: Sequence[T]) -> Field | None:
    """Return the change of a part for one step: the mean of the change forwards and the negated change backwards.

    Args:
        change: function that measures the change between two masks (or shapes); it returns None if this is impossible.
        masks: masks (or shapes) after 0 and 1 steps, and optionally after -1 steps, along an edit direction.

    Returns:
        The mean; one change alone if the other cannot be measured; None if neither can be measured.
    """
    found = [change(masks[0], one) for one in masks[1:3]]
    signed = [sign * one for sign, one in zip((1, -1), found, strict=False) if one is not None]
    return np.asarray(np.mean(signed, 0)) if signed else None


def _borders(own: LabelMap, decoded: list[LabelMap], allowed: list[int], *, lengthens: bool) -> dict[str, Any]:
    """Measure the changes of the classes that are moved by changing their signed distances.

    Return a dict with the attributes ``ids``, ``depths``, ``more``, ``less`` and ``lengthens`` of `Motion`.

    Args:
        own: the mask in its upright frame.
        decoded: masks of the same size that MaskVAE decodes after 0, 1, -1, 2, -2 steps; at least after 0 and 1.
        allowed: ids of the classes that may change.
        lengthens: whether only hair may be added or removed.
    """
    if not lengthens:
        own, *decoded = (np.where(np.isin(one, _DRAWN), ID["skin"], one).astype(np.uint8) for one in (own, *decoded))
    shown = set(np.unique(np.stack([own, *decoded])).tolist())
    ids = [kind for kind in allowed if kind in shown and (lengthens or kind not in _DRAWN)]
    before, *after = (borders.smooth(borders.depths(one, ids)) for one in decoded)
    changes = [one - before for one in after]
    more, less = tuple(changes[::2]), tuple(changes[1::2]) or (-changes[0],)
    begin = borders.start(borders.depths(own, ids), before)
    return {"ids": ids, "depths": begin, "more": more, "less": less, "lengthens": lengthens}


def _between(knots: tuple[Field, ...], amount: float) -> Field:
    """Return the change of signed distances (N, side, side) after any number of steps.

    The change is interpolated linearly between the known changes, and extrapolated beyond the last known change.

    Args:
        knots: the known changes (N, side, side), after 1, 2, ... steps.
        amount: number of steps, 0 or more, also fractions.
    """
    last = min(max(int(np.ceil(amount)), 1), len(knots))
    begin = knots[last - 2] if last > 1 else np.zeros_like(knots[0])
    return np.asarray(begin + (amount - last + 1) * (knots[last - 1] - begin), np.float32)
