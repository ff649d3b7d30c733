"""Options of an edit. This module imports nothing slow, because the command line needs it for ``--help``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Edge(str, Enum):
    """How a painting is pasted into its photo; see `maskgan_cli.editing.compositing.compose.paste_back`.

    MOVE warps the photo to the edited mask and paints only missing pixels. SEAMLESS blends the whole painting without a
    seam (Poisson image editing). SOFT blends the whole painting with a soft edge.
    """

    MOVE = "move"
    SEAMLESS = "seamless"
    SOFT = "soft"


class Inside(str, Enum):
    """Where the inside of a newly opened mouth comes from; see `maskgan_cli.editing.compositing.mouths`.

    PHOTO is the edited photo, REFERENCE is the second face, PAINTED is the network's painting. AUTO chooses the photo
    or the second face, depending on which mouth is open wide enough.
    """

    AUTO = "auto"
    PHOTO = "photo"
    REFERENCE = "reference"
    PAINTED = "painted"


class Hair(str, Enum):
    """Where the pixels of another person's hair come from; see `maskgan_cli.editing.compositing.hair_swap`.

    REFERENCE copies them from the other person's picture, PAINTED lets the network paint them. AUTO copies them if
    possible, and otherwise lets the network paint them.
    """

    AUTO = "auto"
    REFERENCE = "reference"
    PAINTED = "painted"


class Accessories(str, Enum):
    """How glasses, hats, earrings and necklaces are put on a photo: see `editing.compositing.accessories`.

    DRAWN draws them over the photo as objects. PAINTED adds them to the mask, and the network paints them.
    """

    DRAWN = "drawn"
    PAINTED = "painted"


@dataclass(frozen=True)
class Blend:
    """Whether and how a painting is pasted back into the picture that is edited.

    Attributes:
        wanted: True: always paste back. False: never; the result is the bare painting. None: the edit decides. Most
            edits then paste into photos, but return the bare painting for faces of a prepared data set, because the
            paper's metrics need it.
        edge: how the border between painting and photo is blended.
        softness: width of the soft edge as a share of the picture's side, above 0; used only by ``Edge.SOFT``.
        inside: where the inside of a newly opened mouth comes from; used only by ``Edge.MOVE``.
        hair: where the pixels of another person's hair come from; used only by ``Edge.MOVE``.
        accessories: how accessories are put on.
    """

    wanted: bool | None = None
    edge: Edge = Edge.MOVE
    softness: float = 0.05
    inside: Inside = Inside.AUTO
    hair: Hair = Hair.AUTO
    accessories: Accessories = Accessories.DRAWN

    def or_bare(self, bare: bool) -> Blend | None:
        """Return these options if the painting is to be pasted back, else None.

        Args:
            bare: used only if ``wanted`` is None. True: do not paste back (return None). False: paste back.
        """
        return None if (bare if self.wanted is None else not self.wanted) else self

    @property
    def note(self) -> str | float:
        """Value for a result's record: ``softness`` if ``edge`` is ``Edge.SOFT``, else the name of the edge."""
        return self.softness if self.edge is Edge.SOFT else self.edge.value


class Taken(str, Enum):
    """How a picture is read; see `maskgan_cli.editing.faces.reader.PhotoReader`.

    CROP reads the picture as a face crop. PHOTO detects a face in the picture, and cuts the face out. AUTO reads it as
    a crop if it is framed like one, and otherwise as a photo.
    """

    AUTO = "auto"
    CROP = "crop"
    PHOTO = "photo"
