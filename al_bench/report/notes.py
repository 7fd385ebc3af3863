"""What has to be known of a section's numbers before they are read: who labeled, who judged, what an
entropy is, what was free."""

from collections.abc import Iterator

from al_bench.analysis.chance import all_near_chance
from al_bench.analysis.ending import name_seeds
from al_bench.analysis.grouping import Group, Section
from al_bench.analysis.lines import share_first_labels
from al_bench.analysis.provenance import say_mixed
from al_bench.analysis.reading import Run
from al_bench.errors import amount
from al_bench.report.figures.charts import has_all
from al_bench.report.judges import say_judges, say_plain_samples
from al_bench.report.measures import listed
from al_bench.report.paper import add_to_group

_UNKNOWN = -1  # what an oracle answers that cannot tell, as cycles store it


def notes(section: Section) -> list[str]:
    """A sentence for each such thing, with the names of the groups that it concerns; first that none of them learned
    anything to speak of, where that is so."""
    users: dict[str, list[str]] = {}
    for group in section.groups:
        for sentence in (*_oracle(group), *_loss(group), *_validation(group), *_skipped(group), *add_to_group(group)):
            users.setdefault(sentence, []).append(group.name)
    own = [f"{listed(names)}: {sentence}" for sentence, names in users.items()]
    judged = [*say_judges(section), *say_plain_samples(section)]
    return [*_chance(section), *own, *_starts(section), *judged]


def mixed(section: Section) -> list[str]:
    """A sentence of each run that went on under another commit than it began with, or on another machine."""
    return [f"T{one[1:]}." for one in say_mixed([run for group in section.groups for run in group.runs])]


def _chance(section: Section) -> Iterator[str]:
    if all_near_chance(section.groups):
        classes = len(section.groups[0].first.cycles[0].class_counts)
        yield (
            f"Every method ends near chance, less than a tenth of the way from guessing one of {classes} classes "
            f"({100 / classes:.3g} %) to all right: what sets them apart here says nothing of them."
        )


def _starts(section: Section) -> Iterator[str]:
    """Lines whose seeds are no pairs with those of the first line that has them, but for one that has all labels."""
    firsts: dict[int, tuple[Group, Run]] = {}
    found: dict[tuple[str, str], list[int]] = {}
    for group in (group for group in section.groups if not has_all(group)):
        for run in group.runs:
            other, start = firsts.setdefault(run.seed, (group, run))
            if not share_first_labels(start, run):
                found.setdefault((group.name, other.name), []).append(run.seed)
    for (name, other_name), seeds in found.items():
        yield (
            f"{name} begins {name_seeds(sorted(seeds))} with other labels than {other_name}: tests between lines, "
            "claims and contrasts leave such seeds out; the best of a column and the penalty matrix take them for "
            "pairs, and say less there."
        )


def _oracle(group: Group) -> Iterator[str]:
    """Says so where an oracle may stand for a person, which is one that has to be sure of its answer."""
    oracle = group.first.identity.get("oracle") or {}
    sure = oracle.get("min_confidence")
    if sure is None:
        return
    rejects = f"passes where it is less than {sure} sure" if sure else "always answers (min_confidence 0)"
    passed, asked = _count_passed(group)
    share = f"; it passed on {passed:,} of {amount(asked, 'annotation')}, which count all the same" if sure else ""
    yield (
        f"synthetic images were labeled by a model trained on every label of the pool ({oracle['part']}), which stood "
        f"in for the paper's person and {rejects}{share}."
    )


def _count_passed(group: Group) -> tuple[int, int]:
    labels = [
        row[0] if isinstance(row, list) else row
        for run in group.runs
        for record in run.cycles[1:]
        for row in record.query.labels or []
    ]
    return labels.count(_UNKNOWN), len(labels)


def _loss(group: Group) -> Iterator[str]:
    """A loss of its own is not the cross-entropy, whose logits alone are log-probabilities."""
    loss = (group.first.identity.get("learner") or {}).get("loss")
    if loss is None:
        return
    name = loss if isinstance(loss, str) else loss["part"].partition("@")[0].rpartition("/")[-1]  # by name, or a part
    yield (
        f"trained with the loss {name}, whose scores are no log-probabilities; where an "
        "entropy is shown, probabilities are the softmax of the scores, for two classes p = sigmoid(s) with s "
        "the difference of both scores, a linear SVM's decision value."
    )


def _validation(group: Group) -> Iterator[str]:
    """Labels that early stopping looked at are labels too, whoever pays for them."""
    last = group.first.cycles[-1]
    count = last.validation_labels
    if not count:
        return
    free = (group.first.identity.get("settings") or {}).get("free_validation")
    seen = f"every training was watched by early stopping on {amount(count, 'label')} of the validation split, which "
    bought = last.annotations
    if free:
        yield seen + f"the paper does not count: {amount(bought, 'annotation')} are {bought + count:,} labels."
    else:
        yield seen + f"count: {amount(bought, 'annotation')} are {bought - count:,} bought ones and those."


def _skipped(group: Group) -> Iterator[str]:
    """Pictures that a run left out are in none of its numbers."""
    if count := group.first.cycles[-1].skipped_pictures:
        yield f"of the data set {amount(count, 'picture')} could not be read and took no part."
