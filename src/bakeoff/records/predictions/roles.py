"""Which column of a table says what; where two readings are possible, none is chosen."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bakeoff.errors import DataError, UsageError, did_you_mean
from bakeoff.records.predictions.table import plain

ENTRANT = (
    "entrant", "model", "model_name", "model_id", "method", "system", "classifier", "algorithm",
    "architecture", "network", "estimator",
)  # fmt: skip
SEED = ("seed", "run", "run_id", "repeat", "replicate", "random_seed", "trial", "rep", "repetition")
ITEM = (
    "item", "item_id", "id", "image_id", "imageid", "sample_id", "sampleid", "example_id",
    "instance_id", "question_id", "doc_id", "docid", "document_id", "passage_id", "uid", "guid",
    "uuid", "filename", "file_name", "file", "filepath", "file_path", "path", "image", "img",
    "image_name", "image_path", "name", "key", "sample", "example", "instance", "index", "idx",
)  # fmt: skip
LABEL = (
    "label", "labels", "true_label", "y_true", "ytrue", "true", "truth", "true_class", "target",
    "targets", "gold", "gold_label", "ground_truth", "groundtruth", "gt", "actual", "reference",
    "expected", "correct_answer", "answer_key", "y", "true_0",
)  # fmt: skip
PREDICTED = (
    "predicted", "prediction", "predictions", "pred", "preds", "y_pred", "ypred", "y_hat", "yhat",
    "predicted_label", "predicted_class", "pred_label", "pred_class", "predicted_answer", "guess",
    "label_0",
)  # fmt: skip
JUDGED = (
    "correct", "is_correct", "iscorrect", "acc", "accuracy", "right", "exact_match", "em", "hit",
    "acc_norm", "score", "f1", "bleu", "rouge", "rouge1", "rouge2", "rougel", "meteor", "chrf",
    "points", "rating", "reward", "quality", "loss", "log_loss", "nll", "brier", "brier_score",
    "error", "iou", "dice", "pass", "passed", "mse", "mae",
)  # fmt: skip
EITHER = ("answer", "answers", "class", "category", "output", "response", "value", "result")
"""What may be the true answer or the one that was given."""
KNOWN = frozenset((*ENTRANT, *SEED, *ITEM, *LABEL, *PREDICTED, *JUDGED, *EITHER))
_SCORES_OF_CLASSES = re.compile(
    r"(?:probabilities|probability|proba|probs|prob|p|log_probability|log_prob|logprob|logp|"
    r"logits|logit|softmax|scores|score|class|confidence|conf)_?(.+)"
)
_TIMM = re.compile(r"filename|(?:index|label|prob|logit)(?:_\d+)?")
_TIMM_ANSWERS = ("index", "index_0", "label", "label_0")
_OF_ONE_CLASS = ("p", "prob", "proba", "probability", "confidence", "conf", "y_score", "y_prob")
ROLES = ("entrant", "seed", "item", "label", "predicted", "score", "group")


@dataclass(frozen=True)
class Roles:
    """The columns that say what; None where there is none.

    `classes` are (column, the class it scores), `read_as` what the columns were chosen by.
    """

    entrant: str | None
    seed: str | None
    item: str | None
    label: str | None
    predicted: str | None
    score: str | None
    group: str | None
    classes: tuple[tuple[str, str], ...]

    @property
    def said(self) -> str:
        """Return which columns were taken for what."""
        found = [f"{role} from {name}" for role in ROLES if (name := getattr(self, role))]
        if self.classes:
            (first, _), (last, _) = self.classes[0], self.classes[-1]
            found.append(f"scores of {len(self.classes)} classes from {first} to {last}")
        return ", ".join(found)


@dataclass(frozen=True)
class Asked:
    """What the user said about columns.

    columns: role -> column. score: which judgement. group: a column. labelled: whether true labels
    come from another file.
    """

    columns: Mapping[str, str]
    score: str | None = None
    group: str | None = None
    labelled: bool = False

    def __post_init__(self) -> None:
        """Raise UsageError for a role that there is not."""
        for role in self.columns:
            if role not in ROLES:
                raise UsageError(f"--columns {role}=...: no such role; {did_you_mean(role, ROLES)}")


def roles_of(
    file: Path, header: Sequence[str], asked: Asked, first: Sequence[Sequence[str]]
) -> Roles:
    """Return which column says what.

    first: the first rows, as texts. Raises DataError where two readings are possible, UsageError
    where a column that was asked for is not there.
    """
    if not asked.columns and (inferred := _of_timm(header)):
        return inferred
    _refuse_several_labels(file, header)
    asked_for = _asked_for(file, header, asked)
    taken = set(asked_for.values())
    free = [name for name in header if name not in taken]

    def named(role: str, names: Sequence[str]) -> list[str]:
        if role in asked_for:
            return [asked_for[role]]
        found = [each for each in free if plain(each) in names]
        return sorted(found, key=lambda each: names.index(plain(each)))

    entrant, seed = (named("entrant", ENTRANT)[:1], named("seed", SEED)[:1])
    item = named("item", ITEM)[:1]
    judged = named("score", JUDGED)
    free = [name for name in free if name not in {*entrant, *seed, *item}]
    classes = () if "predicted" in asked_for else _classes(free, first, header)
    free = [name for name in free if name not in {column for column, _ in classes}]
    labels, predicted = named("label", LABEL), named("predicted", PREDICTED)
    judged = [name for name in judged if name in free or name in taken]
    if len(judged) > 1:
        raise DataError(
            f"{file}: {_listed(judged)} may each be the score; choose one by --score {judged[0]}"
        )
    labels, predicted = _told_apart(file, labels, predicted, free, asked, bool(judged or classes))
    found = Roles(
        entrant=next(iter(entrant), None),
        seed=next(iter(seed), None),
        item=next(iter(item), None),
        label=next(iter(labels), None),
        predicted=next(iter(predicted), None),
        score=next(iter(judged), None),
        group=asked_for.get("group"),
        classes=classes,
    )
    if found.predicted is None and found.score is None and not found.classes:
        _refuse_without_answers(file, header, found)
    return found


def _of_timm(header: Sequence[str]) -> Roles | None:
    """Return the columns of an inference table of timm, None where it is none.

    Its `label` names the class that was answered and its `index` numbers it; `prob_0` is the score
    of the first place, not of the first class.
    """
    answers = [name for name in _TIMM_ANSWERS if name in header]
    scored = any(name.startswith(("prob", "logit")) for name in header)
    if not answers or not scored or not all(_TIMM.fullmatch(name) for name in header):
        return None
    return Roles(
        entrant=None,
        seed=None,
        item="filename" if "filename" in header else None,
        label=None,
        predicted=answers[0],
        score=None,
        group=None,
        classes=(),
    )


def _refuse_several_labels(file: Path, header: Sequence[str]) -> None:
    several = [name for name in header if re.fullmatch(r"true_\d+", plain(name))]
    if len(several) > 1:
        raise DataError(
            f"{file}: {_listed(several)} are several true labels of each item; judge each of them "
            "in a table of its own"
        )


def _asked_for(file: Path, header: Sequence[str], asked: Asked) -> dict[str, str]:
    """Return the columns that the user named, by role."""
    wanted = dict(asked.columns)
    wanted |= {"score": asked.score} if asked.score else {}
    wanted |= {"group": asked.group} if asked.group else {}
    by_plain = {plain(name): name for name in header}
    for role, name in wanted.items():
        if name in header:
            continue
        if name.isdecimal() and 1 <= int(name) <= len(header):
            wanted[role] = header[int(name) - 1]
            continue
        if plain(name) not in by_plain or not plain(name):
            if role == "group" and asked.labelled:
                continue  # It stands in the file of labels.
            raise UsageError(f"{file}: no column {name!r}; {did_you_mean(name, header)}")
        wanted[role] = by_plain[plain(name)]
    return {role: name for role, name in wanted.items() if name in header}


def _told_apart(
    file: Path,
    labels: list[str],
    predicted: list[str],
    free: Sequence[str],
    asked: Asked,
    judged: bool,
) -> tuple[list[str], list[str]]:
    """Return the column of true labels and that of predictions; refuse where they may be either."""
    either = [name for name in free if plain(name) in EITHER and name not in {*labels, *predicted}]
    if len(predicted) > 1:
        raise DataError(
            f"{file}: {_listed(predicted)} may each be the prediction; "
            f"say --columns predicted={predicted[0]}"
        )
    if judged:
        return labels[:1] if len(labels) == 1 else [], predicted
    if predicted and len(labels) > 1:
        raise DataError(
            f"{file}: {_listed(labels)} may each be the true label; say --columns label={labels[0]}"
        )
    if predicted or (len(labels) == 1 and not either and not asked.labelled):
        return labels, predicted
    candidates = [*labels, *either]
    if asked.labelled and len(candidates) == 1:
        # The true labels come from elsewhere, so that this is what was answered.
        return [], candidates
    if len(candidates) > 1:
        one, other = candidates[:2]
        raise DataError(
            f"{file}: either {one} is the label and {other} the prediction, or the other way "
            f"round; say --columns label={one},predicted={other}"
        )
    return labels, predicted


def _classes(
    free: Sequence[str], first: Sequence[Sequence[str]], header: Sequence[str]
) -> tuple[tuple[str, str], ...]:
    """Return the columns that hold one score for each class, with the class."""
    numeric = [name for name in free if _all_numbers(first, list(header).index(name))]
    prefixed: dict[str, list[tuple[str, str]]] = {}
    for name in numeric:
        found = _SCORES_OF_CLASSES.fullmatch(plain(name))
        if found and plain(name) not in JUDGED:
            prefix = plain(name)[: found.start(1)]
            prefixed.setdefault(prefix, []).append((name, _rest(name, found[1])))
    best = max(prefixed.values(), key=len, default=[])
    if len(best) > 1:
        return tuple(best)
    counted = [name for name in numeric if re.fullmatch(r"\d+", name)]
    if len(counted) > 1 and [int(name) for name in counted] == list(range(len(counted))):
        return tuple((name, name) for name in counted)
    return ()


def _rest(name: str, plain_rest: str) -> str:
    """Return the class in a column's name as it is written there: `prob_Cat` is `Cat`."""
    for start in range(len(name)):
        if plain(name[start:]) == plain_rest and plain(name[start]):
            return name[start:].strip("()[] ")
    return plain_rest


def _all_numbers(first: Sequence[Sequence[str]], at: int) -> bool:
    for row in first:
        try:
            float(row[at])
        except (ValueError, IndexError):
            return False
    return bool(first)


def _refuse_without_answers(file: Path, header: Sequence[str], found: Roles) -> None:
    if found.entrant and not found.item:
        raise DataError(
            f"{file}: totals, one row for each model, and no predictions; give one row for each "
            "model and item"
        )
    of_one = [name for name in header if plain(name) in _OF_ONE_CLASS]
    if of_one:
        raise DataError(
            f"{file}: {of_one[0]} is a probability, and nothing says of which class; give a column "
            "for each class, or the predicted class"
        )
    if found.label and found.item:
        raise DataError(
            f"{file}: no predictions beside {found.label!r}; if these are the true labels, give "
            f"the file as --labels {file.name}; if they are predictions, give --labels FILE"
        )
    raise DataError(
        f"{file}: no column is known to hold predictions among {_listed(header)}; say "
        "--columns item=...,label=...,predicted=..."
    )


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:8])
    return shown + (f" and {len(names) - 8} more" if len(names) > 8 else "")
