"""A network of floating-point weights that teaches others, in a file of its own."""

import dataclasses
import hashlib
import json
from pathlib import Path

import torch
from pydantic import TypeAdapter
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from kakure.model.config.config import Config, parse_config
from kakure.model.datasets.recipe import Recipe
from kakure.model.errors import UserError
from kakure.model.files.atomic import write_atomically
from kakure.model.files.regular_file import check_regular

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
    tensors = {name: value.cpu().contiguous() for name, value in state.items()}
    try:
        write_atomically(path, save(tensors, described))
    except OSError as error:
        raise UserError(f"cannot be written: {error.strerror}", file=path) from None


def load_teacher(path: Path, device: torch.device) -> Teacher:
    """Read a teacher.

    Raises
    ------
    UserError
        If the file is missing, or none that ``kakure train --with method=float`` writes.
    """
    advice = "kakure train CONFIG --with method=float --output FILE writes one"
    try:
        check_regular(path)
        with safe_open(str(path), framework="pt") as file:
            state = {name: file.get_tensor(name) for name in file.keys()}
            metadata = dict(file.metadata() or {})
        config = parse_config(metadata["config"], str(path))
        recipe = TypeAdapter(Recipe).validate_json(metadata["recipe"])
        network = Network(config, recipe, generator=torch.Generator())
        network.load_state_dict(state)
    except FileNotFoundError:
        raise UserError("must be an existing file", where=("--teacher",), file=path) from None
    except (SafetensorError, KeyError, ValueError, RuntimeError, OSError):
        raise UserError(f"must be a teacher; {advice}", where=("--teacher",), file=path) from None
    network.compute_in(pick_precision("auto", device)[0])
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Teacher(network.to(device), digest, metadata.get("validation", "unknown"))
