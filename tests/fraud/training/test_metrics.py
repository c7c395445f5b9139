"""The bootstrap: of rows, and of people."""

from __future__ import annotations

import numpy as np

from noc.fraud.training import metrics


def drawn(labels: np.ndarray, groups: np.ndarray | None = None) -> np.ndarray:
    return np.concatenate(list(metrics.draws(labels, 3, groups=groups)))


def test_rows_are_drawn_within_each_label() -> None:
    labels = np.array([1.0] * 20 + [0.0] * 180)
    weights = drawn(labels)
    assert weights.shape == (metrics.DRAWS, 200)
    assert (weights[:, :20].sum(axis=1) == 20).all()
    assert (weights.sum(axis=1) == 200).all()


def test_people_are_drawn_whole_and_those_with_a_fraud_apart() -> None:
    people = np.repeat(np.arange(40), 10)
    labels = ((people < 8) & (np.arange(400) % 10 < 3)).astype(float)
    weights = drawn(labels, people)
    assert (weights.reshape(-1, 40, 10) == weights.reshape(-1, 40, 10)[:, :, :1]).all()
    assert (weights @ labels == 8 * 3).all()


def test_what_one_person_does_again_and_again_is_little_evidence() -> None:
    """Ten people caught ten times each say less than a hundred people caught once."""
    labels = np.tile([1.0, 0.0], 100)
    right = np.repeat(np.arange(20) % 4 != 0, 10)
    scores = np.where(right == (labels > 0), 0.9, 0.1)
    widths = []
    for groups in (None, np.repeat(np.arange(20), 10)):
        weights = drawn(labels, groups)
        recall = metrics.measure(metrics.ranked(scores, labels), weights, 0.5)["recall"]
        low, high = np.quantile(recall, [0.05, 0.95])
        widths.append(high - low)
    assert widths[1] > 1.8 * widths[0]


def test_of_too_few_people_rows_are_drawn() -> None:
    labels = np.array([1.0, 0.0] * 50)
    alone = np.zeros(100, dtype=np.int64)
    assert (drawn(labels, alone) == drawn(labels)).all()


def test_many_rows_come_in_pieces() -> None:
    rows = metrics.CELLS // 10
    labels = (np.arange(rows) % 7 == 0).astype(float)
    pieces = list(metrics.draws(labels, 0, groups=np.arange(rows) % 900))
    assert max(piece.size for piece in pieces) <= metrics.CELLS
    assert sum(len(piece) for piece in pieces) == metrics.how_many(rows)
