"""Whether a network can go on from the weights of an earlier one."""

import logging

from torch import nn

logger = logging.getLogger(__name__)


def can_go_on(network: nn.Module, before: nn.Module) -> bool:
    """Whether two networks have the same weights by name and shape; says once where they have not, as after a class was
    added, for then a cycle begins anew."""
    mine, others = ({name: one.shape for name, one in each.state_dict().items()} for each in (network, before))
    if mine != others:
        logger.warning("this cycle begins with new weights: the model before it is of other classes")
    return mine == others
