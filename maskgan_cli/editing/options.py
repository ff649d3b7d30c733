"""What a user may ask of an edit. Light to import: the command line reads it for ``--help``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Edge(str, Enum):
    """How a painting is joined to its photo; see `maskgan_cli.editing.blend`."""

    MOVE = "move"
    SEAMLESS = "seamless"
    SOFT = "soft"


class Inside(str, Enum):
    """Where the inside of a newly opened mouth comes from; see `maskgan_cli.editing.mouths`."""

    AUTO = "auto"
    PHOTO = "photo"
    REFERENCE = "reference"
    PAINTED = "painted"


class Hair(str, Enum):
    """Where the pixels of another person's hair come from; see `maskgan_cli.editing.hair_swap`."""

    AUTO = "auto"
    REFERENCE = "reference"
    PAINTED = "painted"


class Accessories(str, Enum):
    """How glasses, hats, earrings and necklaces are put on a photo; see `maskgan_cli.editing.accessories`."""

    DRAWN = "drawn"
    PAINTED = "painted"


@dataclass(frozen=True)
class Blend:
    """Whether and how a painting is pasted back over its source.

    Attributes:
        wanted: always or never; None leaves it to the edit: a photo is pasted into, a face of a prepared data set is
            painted bare, as the paper's measures need it.
        edge: how the two are joined.
        softness: width of the soft edge as a share of the side, above 0; nothing to the seamless one.
        inside: where the inside of a mouth comes from, if the photo moves.
        hair: where another person's hair comes from, if the photo moves.
        accessories: drawn over the photo as objects, or added to the mask and painted by the network.
    """

    wanted: bool | None = None
    edge: Edge = Edge.MOVE
    softness: float = 0.05
    inside: Inside = Inside.AUTO
    hair: Hair = Hair.AUTO
    accessories: Accessories = Accessories.DRAWN

    def unless(self, bare: bool) -> Blend | None:
        """What is done if nothing else is asked for: this, or None where a painting stays ``bare`` by itself."""
        return None if (bare if self.wanted is None else not self.wanted) else self

    @property
    def note(self) -> str | float:
        """For the record of a result."""
        return self.softness if self.edge is Edge.SOFT else self.edge.value


class Taken(str, Enum):
    """What a picture is taken for; see `maskgan_cli.editing.reader`."""

    AUTO = "auto"
    CROP = "crop"
    PHOTO = "photo"
