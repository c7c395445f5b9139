"""Training measured on the public card-fraud simulation, against XGBoost's defaults.

The simulation is that of Le Borgne, Siblini, Lebichot and Bontempi, "Reproducible Machine Learning
for Credit Card Fraud Detection - Practical Handbook" (2022), chapter 3, written anew and vectorised
from its description: other random numbers, the same process.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

CUSTOMERS, TERMINALS, DAYS = 5_000, 10_000, 183
RADIUS = 5.0
DAY = 86_400
START = pd.Timestamp("2018-04-01")
DELAY_DAYS = 7
WINDOWS = (1, 7, 30)

Floats = NDArray[np.float64]


def simulate(
    seed: int = 0, customers: int = CUSTOMERS, terminals: int = TERMINALS, days: int = DAYS
) -> pd.DataFrame:
    """Transactions by time: ``time``, ``customer``, ``terminal``, ``fraud`` and 15 features."""
    rng = np.random.default_rng(seed)
    spent = _transactions(rng, customers, terminals, days)
    frauds = _frauds(rng, spent, customers, terminals, days)
    seconds = spent["seconds"]
    table: dict[str, Any] = {
        "time": START + pd.to_timedelta(seconds, unit="s"),
        "customer": spent["customer"],
        "terminal": spent["terminal"],
        "fraud": frauds.astype(np.int64),
        "amount": spent["amount"],
        "weekend": ((START.dayofweek + seconds // DAY) % 7 >= 5).astype(np.int64),
        "night": (seconds % DAY // 3600 <= 6).astype(np.int64),
    }
    for window in WINDOWS:
        count, total = _rolled(spent["customer"], seconds, spent["amount"], 0, window)
        table[f"customer_count_{window}d"] = count
        table[f"customer_amount_{window}d"] = total / count
    for window in WINDOWS:
        count, total = _rolled(spent["terminal"], seconds, frauds * 1.0, DELAY_DAYS, window)
        table[f"terminal_count_{window}d"] = count
        table[f"terminal_risk_{window}d"] = total / np.maximum(count, 1)
    return pd.DataFrame(table)


FEATURES = (
    "amount",
    "weekend",
    "night",
    *(f"customer_{what}_{window}d" for window in WINDOWS for what in ("count", "amount")),
    *(f"terminal_{what}_{window}d" for window in WINDOWS for what in ("count", "risk")),
)


def _transactions(
    rng: np.random.Generator, customers: int, terminals: int, days: int
) -> dict[str, NDArray[Any]]:
    """Who pays how much where and when; times in whole seconds from START, in order."""
    homes = rng.uniform(0, 100, (customers, 2))
    shops = rng.uniform(0, 100, (terminals, 2))
    usual = rng.uniform(5, 100, customers)
    rate = rng.uniform(0, 4, customers)
    near = [np.flatnonzero(((shops - home) ** 2).sum(axis=1) < RADIUS**2) for home in homes]
    reach = np.array([len(some) for some in near])
    first = np.concatenate([[0], np.cumsum(reach)[:-1]])
    counts = rng.poisson(np.where(reach[:, None] > 0, rate[:, None], 0.0), (customers, days))
    customer = np.repeat(np.repeat(np.arange(customers), days), counts.ravel())
    day = np.repeat(np.tile(np.arange(days), customers), counts.ravel())
    clock = rng.normal(DAY / 2, 20_000, len(customer)).astype(np.int64)
    kept = (clock > 0) & (clock < DAY)
    customer, seconds = customer[kept], (day * DAY + clock)[kept]
    amount = rng.normal(usual[customer], usual[customer] / 2)
    amount = np.where(amount < 0, rng.uniform(0, 2 * usual[customer]), amount).round(2)
    pick = (rng.random(len(customer)) * reach[customer]).astype(np.int64)
    terminal = np.concatenate(near)[first[customer] + pick]
    order = np.argsort(seconds, kind="stable")
    return {
        "customer": customer[order],
        "seconds": seconds[order],
        "amount": amount[order],
        "terminal": terminal[order],
    }


def _frauds(
    rng: np.random.Generator,
    spent: dict[str, NDArray[Any]],
    customers: int,
    terminals: int,
    days: int,
) -> NDArray[np.bool_]:
    """Which transactions are frauds by one of the three scenarios; the third changes amounts."""
    frauds = spent["amount"] > 220
    begins = np.searchsorted(spent["seconds"], np.arange(days + 30) * DAY)
    for day in range(days):
        window = slice(begins[day], begins[min(day + 28, days + 29)])
        taken = rng.choice(terminals, 2, replace=False)
        frauds[window] |= np.isin(spent["terminal"][window], taken)
    for day in range(days):
        window = slice(begins[day], begins[min(day + 14, days + 29)])
        stolen = rng.choice(customers, 3, replace=False)
        rows = begins[day] + np.flatnonzero(np.isin(spent["customer"][window], stolen))
        hit = rng.choice(rows, len(rows) // 3, replace=False)
        spent["amount"][hit] *= 5
        frauds[hit] = True
    return frauds


def _rolled(
    who: NDArray[Any], seconds: NDArray[Any], amounts: Floats, delay: int, window: int
) -> tuple[Floats, Floats]:
    """Count and sum of ``who``'s rows in (t - delay - window, t - delay], days, for each row."""
    # One sorted key for all: the stretches of two of them are further apart than any window.
    stride = int(seconds[-1]) + 100 * DAY
    key = who.astype(np.int64) * stride + seconds
    order = np.argsort(key, kind="stable")
    sums = np.concatenate([[0.0], np.cumsum(amounts[order])])
    upto = np.searchsorted(key[order], key[order] - delay * DAY, side="right")
    after = np.searchsorted(key[order], key[order] - (delay + window) * DAY, side="right")
    count, total = np.empty(len(key)), np.empty(len(key))
    count[order] = upto - after
    total[order] = sums[upto] - sums[after]
    return count, total


@dataclass(frozen=True)
class Fold:
    """Rows to learn from, and rows of the test week without cards known by then."""

    train: pd.DataFrame
    test: pd.DataFrame


def fold(table: pd.DataFrame, test_day: int, train_days: int, test_days: int = 7) -> Fold:
    """The Handbook's split: ``train_days``, a delay, ``test_days`` from ``test_day`` on."""
    day = ((table["time"] - START) // pd.Timedelta(days=1)).to_numpy()
    begin = test_day - DELAY_DAYS - train_days
    train = table[(day >= begin) & (day < test_day - DELAY_DAYS)]
    frauds = table["fraud"].to_numpy() == 1
    tests = []
    for now in range(test_day, test_day + test_days):
        # What was confirmed by that morning: frauds older than the delay.
        known = table["customer"][frauds & (day >= begin) & (day < now - DELAY_DAYS)].unique()
        today = table[day == now]
        tests.append(today[~today["customer"].isin(known)])
    return Fold(train, pd.concat(tests))
