"""What a cost model says where it has no estimate."""

from kakure.model.errors import UserError

__all__ = ["Unfitted"]


class Unfitted(UserError):
    """A network that a cost model was not fitted to, or that it knows nothing of."""
