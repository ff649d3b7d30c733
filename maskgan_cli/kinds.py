"""Dataclasses for the entries of the registry of networks, `maskgan_cli.networks`.

Classes and functions are given as strings ``module:name``, so that reading an entry imports no other module.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Option:
    """A command-line option that only one training command has.

    Attributes:
        name: name of the command-line option (without ``--``) and of the keyword argument of ``prepare_training``.
        type: `pathlib.Path` or `str`.
        help: help text, one line.
        required: whether the option is required.
        setting: change of the recipe, e.g. ``network.names=[{}]``, in which ``{}`` is replaced by the option's value.
            If ``setting`` is empty, the option's value is passed to ``prepare_training`` instead.
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
        module: module with the function ``prepare_training(plan, recipe, **options)``, which receives the values of
            the ``options`` as keyword arguments.
        recipe: name of the recipe class in that module.
        help: help text of the command.
        next_command: command to suggest after training, with the placeholders ``{out}`` (the run folder), ``{data}``,
            ``{source}`` and ``{target}`` (two faces of the data).
        options: command-line options that only this command has.
        several: whether the help text explains how to train in several processes.
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
    """Description of weights of one kind of network that others have published.

    Attributes:
        what: description in one line.
        page: web page of the publication.
        licence: licence as stated by the publishers.
        megabytes: size of the tensors in 10^6 bytes (of the smallest network, if there are several).
        needed_by: commands that use these weights.
        urls: direct download URLs of the weights file, tried in order; empty if the user must download the file
            manually.
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
    """The registry entry of a kind of network, e.g. the face parser.

    Attributes:
        name: name of the kind in weights files, commands, environment variables and the cache.
        title: display name.
        network: network class, as ``module:name``; its constructor receives the configuration.
        config: configuration class, as ``module:name``; empty if the network has no settings.
        aliases: old names of the kind, which are still accepted.
        variable: environment variable with the path of the weights, which takes precedence over
            ``MASKGAN_NAME_WEIGHTS``; empty if there is only the latter.
        layout: layout of published checkpoints (a `weights.layouts.Layout`); empty if checkpoints of this kind cannot
            be imported.
        published: weights that others have published; None if there are none.
        onnx: description of the ONNX export (a `weights.export.Portable`); empty if there is no export.
        bundled: whether the package includes small weights.
        judge: function that receives the path of the weights and a device, and returns a `judges.Judge` (the network,
            loaded for evaluation); empty if the network is not used for evaluation.
        trainings: training commands, the basic one first.
        start: submodule of the trained module that the weights of ``--start-from`` initialise; empty if they
            initialise the whole module.
        trunks: dict from another kind of weights that ``--start-from`` accepts to the submodule that these weights
            initialise.
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
        """Environment variables that may hold the path of the weights, in order of precedence."""
        plain = [f"MASKGAN_{name.replace('-', '_').upper()}_WEIGHTS" for name in (self.name, *self.aliases)]
        return (self.variable, *plain) if self.variable else tuple(plain)
