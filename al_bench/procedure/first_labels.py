"""The pool that a run begins with, for procedures that turn no loop."""

from al_bench.active.initial_labels import Rule, initial_query
from al_bench.active.pool import Pool
from al_bench.dataset import Dataset


def label_first(dataset: Dataset, size: float, rule: Rule, every_class: bool, seed: int) -> Pool:
    """The pool with the initial labels that a run of this seed has, by the data set's own. size: may be infinite: all;
    rule, every_class: see `initial_indices`."""
    labels, num_classes = dataset.train.labels, dataset.num_classes
    first = initial_query(labels, num_classes, int(min(size, len(dataset.train))), rule, every_class, seed)
    pool = Pool.unlabeled_from(dataset.train.images, num_classes, dataset.map_shape)
    return pool.with_labels(first, labels[first.indices])
