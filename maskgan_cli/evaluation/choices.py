"""What the evaluation's options may be; light enough for ``--help``, which shows them."""

from __future__ import annotations

from enum import Enum


class Protocol(str, Enum):
    """How pairs are chosen; `pairs.PROTOCOLS` has their rules."""

    SMILING = "smiling"
    TRANSFER = "transfer"
    STYLE_COPY = "style-copy"
    IDENTITY = "identity"
    COUNTERFACTUAL = "counterfactual"


class Metric(str, Enum):
    """What ``eval results`` measures."""

    ATTRIBUTES = "attributes"
    SEGMENTATION = "segmentation"
    FID = "fid"
    IDENTITY = "identity"
    KID = "kid"
    PRECISION = "precision"


class Reference(str, Enum):
    """Which picture of a pair a result is compared with."""

    SOURCE = "source"
    TARGET = "target"
    TRUTH = "truth"


class Features(str, Enum):
    """Whose features a Frechet distance is over: `fid.NETWORKS`."""

    INCEPTION = "inception"
    PARSER = "parser"
    ATTRIBUTES = "attributes"
    POSE = "pose"
    IDENTITY = "identity"


class Form(str, Enum):
    """How a table is written: `report.FORMATS`."""

    MARKDOWN = "markdown"
    HTML = "html"
    LATEX = "latex"


class Trusted(str, Enum):
    """Judges whose answers a data set can be asked about: `trust.TRUST`."""

    PARSER = "parser"
    ATTRIBUTES = "attributes"
    POSE = "pose"


class Points(str, Enum):
    """Where the five points of a face come from: `verification.WAYS`."""

    MASK = "mask"
    MTCNN = "mtcnn"
    CROP = "crop"


class Split(str, Enum):
    """The parts of a prepared data set."""

    TRAIN = "train"
    VAL = "val"
    TEST = "test"
