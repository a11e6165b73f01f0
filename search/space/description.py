"""What a space offers, for people to read."""

from .space import Space

__all__ = ["describe"]


def describe(space: Space) -> str:
    """What there is to choose from, in a few lines."""
    depths = sorted({len(family.layers) for family in space.families})
    families = []
    if space.possible_families > 1:
        families.append(
            f"families    {len(space.families)} fit of {space.possible_families} choices of pools "
            "and depth"
        )
    arrays = len(space.accelerator.arrays)
    if arrays:
        families.append(f"arrays      {arrays} of temporal accelerators")
    return "\n".join([
        f"{space.name}  {space.digest[:12]}",
        f"layers      {' or '.join(map(str, depths))}",
        *families,
        f"networks    {space.networks:.4g}",
        f"phase 1     {space.phase1_size:.4g} points",
        f"whole       {space.size:.4g} points",
    ])
