"""Allowed values of command-line options of the evaluation. No slow imports, because ``--help`` needs this module."""

from __future__ import annotations

from enum import Enum


class ProtocolName(str, Enum):
    """Protocols: the rules by which pairs of source and target are chosen; see `pairs.PROTOCOLS`."""

    SMILING = "smiling"
    TRANSFER = "transfer"
    STYLE_COPY = "style-copy"
    IDENTITY = "identity"
    COUNTERFACTUAL = "counterfactual"


class Metric(str, Enum):
    """Metrics that ``maskgan eval results`` can compute."""

    ATTRIBUTES = "attributes"
    SEGMENTATION = "segmentation"
    FID = "fid"
    IDENTITY = "identity"
    KID = "kid"
    PRECISION = "precision"


class ComparedPicture(str, Enum):
    """Pictures that a result can be compared with: source or target of its pair, or the pair's ground truth.

    Only rendered pairs have a ground truth (``truth``): a rendering of the correct result.
    """

    SOURCE = "source"
    TARGET = "target"
    TRUTH = "truth"


class Features(str, Enum):
    """Networks that compute the features for distances between two sets of pictures; see `fid.NETWORKS`."""

    INCEPTION = "inception"
    PARSER = "parser"
    ATTRIBUTES = "attributes"
    POSE = "pose"
    IDENTITY = "identity"


class Form(str, Enum):
    """Output formats of tables; see `report.FORMATS`."""

    MARKDOWN = "markdown"
    HTML = "html"
    LATEX = "latex"


class TestedJudge(str, Enum):
    """Evaluation networks whose accuracy can be measured on a data set; see `judge_accuracy.JUDGE_ACCURACY`."""

    PARSER = "parser"
    ATTRIBUTES = "attributes"
    POSE = "pose"


class Points(str, Enum):
    """Methods to find the five landmarks (eyes, nose, mouth corners) by which a face is aligned.

    `verification.verify_samples` describes the methods.
    """

    MASK = "mask"
    MTCNN = "mtcnn"
    CROP = "crop"


class Split(str, Enum):
    """The parts of a prepared data set."""

    TRAIN = "train"
    VAL = "val"
    TEST = "test"
