"""Entry types of the registry of networks, `maskgan_cli.networks`.

Classes and functions are given as ``module:name``, so that reading an entry imports nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Option:
    """An option of a single training command.

    Attributes:
        name: name of the option ``--name`` and of the argument of ``prepare_training``.
        type: `pathlib.Path` or `str`.
        help: help text, one line.
        required: whether the option is required.
        setting: recipe setting that the option sets, e.g. ``network.names=[{}]``. If given, the option is not passed
            to ``prepare_training``.
    """

    name: str
    type: type
    help: str
    required: bool = False
    setting: str = ""


@dataclass(frozen=True)
class Training:
    """One command of ``maskgan train``.

    Attributes:
        name: name of the command and of its recipe folder.
        module: module with the function ``prepare_training(plan, recipe, **own options)``.
        recipe: name of the recipe class in that module.
        help: help text of the command.
        next_command: command to suggest after training, with the placeholders ``{out}`` (the run folder), ``{data}``,
            ``{source}`` and ``{target}`` (two faces of the data).
        options: options of this command only.
        several: whether the help explains training in several processes.
    """

    name: str
    module: str
    recipe: str
    help: str
    next_command: str
    options: tuple[Option, ...] = ()
    several: bool = False


@dataclass(frozen=True)
class Published:
    """Published weights of a kind.

    Attributes:
        what: description in one line.
        page: web page of the publication.
        licence: licence as stated by the publishers.
        megabytes: size of the tensors in 10^6 bytes (of the smallest network, if there are several).
        needed_by: commands that use it.
        urls: direct download URLs of one file, tried in order; empty if it must be downloaded manually.
        sha256: SHA-256 of the file, or its first digits. If empty, the hash of the first download is stored, and
            later downloads must have the same hash.
    """

    what: str
    page: str
    licence: str
    megabytes: int
    needed_by: str
    urls: tuple[str, ...] = ()
    sha256: str = ""


@dataclass(frozen=True)
class Kind:
    """A kind of network.

    Attributes:
        name: name in weights files, commands, environment variables and the cache.
        title: display name.
        network: network class, constructed from its configuration.
        config: configuration class; empty if the network has no settings.
        aliases: former names, still accepted.
        variable: environment variable with the path of its weights; ``MASKGAN_NAME_WEIGHTS`` if empty.
        layout: tensor names of published checkpoints (a `weights.layouts.Layout`); empty if import is not supported.
        published: published weights; None if there are none.
        onnx: ONNX export (a `weights.export.Portable`); empty if not supported.
        bundled: whether the package includes small weights.
        judge: function that loads it as a judge, (file or folder, device) -> `judges.Judge`; empty if it is no judge.
        trainings: training commands, the basic one first.
        start: submodule of the trained module that ``--start-from`` loads; empty for the whole module.
        trunks: kinds of pretrained weights that it can start from -> the submodule that they initialise.
    """

    name: str
    title: str
    network: str
    config: str = ""
    aliases: tuple[str, ...] = ()
    variable: str = ""
    layout: str = ""
    published: Published | None = None
    onnx: str = ""
    bundled: bool = False
    judge: str = ""
    trainings: tuple[Training, ...] = ()
    start: str = ""
    trunks: Mapping[str, str] = field(default_factory=dict)

    @property
    def variables(self) -> tuple[str, ...]:
        """The environment variables that may name its weights, in order of precedence."""
        plain = [f"MASKGAN_{name.replace('-', '_').upper()}_WEIGHTS" for name in (self.name, *self.aliases)]
        return (self.variable, *plain) if self.variable else tuple(plain)
