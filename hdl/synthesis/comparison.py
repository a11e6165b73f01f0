"""One design synthesized by both builds of Yosys, and how far their areas differ."""

from dataclasses import dataclass
from pathlib import Path

from kakure.hdl.emission.design import Design

from .flow import CACHE, synthesize
from .report import SynthesisReport

__all__ = ["Comparison", "compare"]


@dataclass(frozen=True)
class Comparison:
    """The reports of the native and of the portable build."""

    native: SynthesisReport
    yowasp: SynthesisReport

    @property
    def differences(self) -> dict[str, float]:
        """By module: relative area of the portable build's result over the native one's, less 1."""
        portable = {module.name: module.area_um2 for module in self.yowasp.modules}
        return {
            module.name: portable[module.name] / module.area_um2 - 1 if module.area_um2 else 0.0
            for module in self.native.modules
        }

    def __str__(self) -> str:
        return self.table()

    def table(self) -> str:
        """Return the areas module by module, the biggest difference first."""
        native = {module.name: module.area_um2 for module in self.native.modules}
        portable = {module.name: module.area_um2 for module in self.yowasp.modules}
        width = max(len("module"), *(len(name) for name in native))
        ordered = sorted(self.differences.items(), key=lambda item: (-abs(item[1]), item[0]))
        whole = self.yowasp.totals.area_um2 / self.native.totals.area_um2 - 1
        different = sum(1 for _, difference in ordered if difference)
        verdict = f"{different} of {len(ordered)} modules differ; the whole by {whole:+.2%}"
        lines = [
            f"{name:<{width}} {native[name]:>14,.1f} {portable[name]:>14,.1f} {difference:>+8.2%}"
            for name, difference in ordered
        ]
        head = f"{'module':<{width}} {'native um2':>14} {'yowasp um2':>14} {'':>8}"
        tools = f"native: {self.native.tools.yosys}; yowasp: {self.yowasp.tools.yosys}"
        return "\n".join([tools, head, *lines, verdict])


def compare(
    design: Design, *, cache: Path = CACHE, jobs: int = 2, progress: bool | None = None
) -> Comparison:
    """Synthesize a design with the native and with the portable Yosys.

    Raises
    ------
    UserError
        If either is missing.
    """
    native = synthesize(design, engine="native", cache=cache, jobs=jobs, progress=progress)
    yowasp = synthesize(design, engine="yowasp", cache=cache, jobs=jobs, progress=progress)
    return Comparison(native, yowasp)
