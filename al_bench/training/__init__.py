"""How modules are trained: batches, losses, the drivers of a training and what watches it."""
