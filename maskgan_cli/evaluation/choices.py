"""Values of the evaluation's command-line options; this module imports nothing slow, because ``--help`` needs it."""

from __future__ import annotations

from enum import Enum


class ProtocolName(str, Enum):
    """Protocols of pairs; `pairs.PROTOCOLS` has their rules."""

    SMILING = "smiling"
    TRANSFER = "transfer"
    STYLE_COPY = "style-copy"
    IDENTITY = "identity"
    COUNTERFACTUAL = "counterfactual"


class Metric(str, Enum):
    """Metrics of ``eval results``."""

    ATTRIBUTES = "attributes"
    SEGMENTATION = "segmentation"
    FID = "fid"
    IDENTITY = "identity"
    KID = "kid"
    PRECISION = "precision"


class ComparedPicture(str, Enum):
    """The picture of a pair that a result is compared with."""

    SOURCE = "source"
    TARGET = "target"
    TRUTH = "truth"


class Features(str, Enum):
    """Feature networks of distances between sets of pictures: `fid.NETWORKS`."""

    INCEPTION = "inception"
    PARSER = "parser"
    ATTRIBUTES = "attributes"
    POSE = "pose"
    IDENTITY = "identity"


class Form(str, Enum):
    """Formats of tables: `report.FORMATS`."""

    MARKDOWN = "markdown"
    HTML = "html"
    LATEX = "latex"


class TestedJudge(str, Enum):
    """Judges whose accuracy can be measured on a data set: `judge_accuracy.JUDGE_ACCURACY`."""

    PARSER = "parser"
    ATTRIBUTES = "attributes"
    POSE = "pose"


class Points(str, Enum):
    """Sources of the five points of a face: `verification.POINT_SOURCES`."""

    MASK = "mask"
    MTCNN = "mtcnn"
    CROP = "crop"


class Split(str, Enum):
    """The parts of a prepared data set."""

    TRAIN = "train"
    VAL = "val"
    TEST = "test"
