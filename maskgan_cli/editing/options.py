"""Options of an edit. This module imports nothing slow, because the command line needs it for ``--help``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Edge(str, Enum):
    """How a painting is blended into its photo; see `maskgan_cli.editing.compositing.compose.paste_back`."""

    MOVE = "move"
    SEAMLESS = "seamless"
    SOFT = "soft"


class Inside(str, Enum):
    """Source of the inside of a newly opened mouth; see `maskgan_cli.editing.compositing.mouths`."""

    AUTO = "auto"
    PHOTO = "photo"
    REFERENCE = "reference"
    PAINTED = "painted"


class Hair(str, Enum):
    """Where the pixels of another person's hair come from; see `maskgan_cli.editing.compositing.hair_swap`."""

    AUTO = "auto"
    REFERENCE = "reference"
    PAINTED = "painted"


class Accessories(str, Enum):
    """How glasses, hats, earrings and necklaces are put on a photo: see `editing.compositing.accessories`."""

    DRAWN = "drawn"
    PAINTED = "painted"


@dataclass(frozen=True)
class Blend:
    """Whether and how a painting is pasted back into its source.

    Attributes:
        wanted: True always, False never. None leaves it to the edit: paintings are pasted into photos, while those of
            a prepared data set's faces stay bare, as the paper's metrics need them.
        edge: how the painting is blended.
        softness: width of the soft edge as a share of the side, above 0; used only by ``Edge.SOFT``.
        inside: source of the inside of a mouth, for ``Edge.MOVE``.
        hair: source of another person's hair, for ``Edge.MOVE``.
        accessories: drawn over the photo as objects, or added to the mask and painted by the network.
    """

    wanted: bool | None = None
    edge: Edge = Edge.MOVE
    softness: float = 0.05
    inside: Inside = Inside.AUTO
    hair: Hair = Hair.AUTO
    accessories: Accessories = Accessories.DRAWN

    def or_bare(self, bare: bool) -> Blend | None:
        """This, or None for a bare painting; ``bare`` decides if ``wanted`` is None."""
        return None if (bare if self.wanted is None else not self.wanted) else self

    @property
    def note(self) -> str | float:
        """The value for a result's record."""
        return self.softness if self.edge is Edge.SOFT else self.edge.value


class Taken(str, Enum):
    """How a picture is read: as a face crop, as a photo, or automatically; see `maskgan_cli.editing.faces.reader`."""

    AUTO = "auto"
    CROP = "crop"
    PHOTO = "photo"
