"""What every kind of accelerator has in common."""

from kakure.model.config.schema import KindName, Schema

__all__ = ["AcceleratorConfig"]


class AcceleratorConfig(Schema):
    """How the layers become hardware; a kind is a subclass with the sizes that it needs.

    Add it to :data:`kakure.model.config.accelerators.table.ACCELERATORS`.
    """

    kind: KindName

    @property
    def description(self) -> str:
        """The kind, and the sizes that tell one from another, in a few words."""
        return self.kind
