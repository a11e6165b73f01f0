"""A network of floating-point weights that teaches others, in a file of its own."""

import dataclasses
import hashlib
import json
from pathlib import Path

import torch
from pydantic import TypeAdapter

from kakure.model.config.config import Config, parse_config
from kakure.model.datasets.idx import by
from kakure.model.datasets.recipe import Recipe
from kakure.model.errors import UserError
from kakure.model.parameters.tensor_file import read_tensors, write_tensors

from .network import Network
from .precision import pick_precision

__all__ = ["Teacher", "load_teacher", "save_teacher"]


@dataclasses.dataclass(frozen=True)
class Teacher:
    """A trained network that says what logits should be.

    Attributes
    ----------
    network : Network
    digest : str
        SHA-256 of its file.
    validation : str
        Its score when it was trained.
    """

    network: Network
    digest: str
    validation: str


def save_teacher(
    path: Path,
    config: Config,
    recipe: Recipe,
    state: dict[str, torch.Tensor],
    metadata: dict[str, str],
) -> None:
    """Write the scores and BatchNorms of a network, whole or not at all.

    Raises
    ------
    UserError
        If the file cannot be written.
    """
    described = {
        **metadata,
        "config": config.model_dump_json(),
        "recipe": json.dumps(dataclasses.asdict(recipe), sort_keys=True),
    }
    tensors = {name: value.cpu().contiguous().numpy() for name, value in state.items()}
    write_tensors(path, tensors, described)


def load_teacher(path: Path, taught: Config, device: torch.device) -> Teacher:
    """Read a teacher of the network ``taught``.

    Raises
    ------
    UserError
        If the file is missing, damaged, or none that ``kakure train --with method=float`` writes,
        or its images or classes are others.
    """
    advice = "kakure train CONFIG --with method=float --output FILE writes one"
    wrong = UserError("must be a teacher", where=("--teacher",), file=path, advice=advice)
    try:
        tensors, metadata = read_tensors(path, advice=advice)
    except FileNotFoundError:
        raise UserError("must be an existing file", where=("--teacher",), file=path) from None
    except UserError as error:
        raise error.within("--teacher") from None
    except (OSError, ValueError):
        raise wrong from None
    try:
        config = parse_config(metadata["config"], str(path))
        recipe = TypeAdapter(Recipe).validate_json(metadata["recipe"])
        network = Network(config, recipe, generator=torch.Generator())
        network.load_state_dict({name: torch.from_numpy(part) for name, part in tensors.items()})
    except (UserError, KeyError, TypeError, ValueError, RuntimeError):
        raise wrong from None
    wanted, found = (
        f"{by(c.shape)} pixels, {c.layers[-1].channels} classes" for c in (taught, config)
    )
    if found != wanted:
        raise UserError(
            f"must be a teacher of {wanted}, as the configuration",
            where=("--teacher",),
            value=found,
            file=path,
        )
    network.compute_in(pick_precision("auto", device)[0])
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Teacher(network.to(device), digest, metadata.get("validation", "unknown"))
