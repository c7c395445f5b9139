"""How sure a share is."""

from __future__ import annotations

import math

Z90 = 1.6448536269514722
"""Two-sided 90 % of the normal distribution."""


def wilson(share: float, size: float, z: float = Z90) -> tuple[float, float]:
    """Wilson's score interval (E. B. Wilson, 1927) of a share among ``size`` > 0 observations.

    ``size`` may be an effective one, (sum w)^2 / sum w^2 (L. Kish, 1965): unequal weights count
    for fewer observations. That there are finitely many is left out, which makes it a little wide.
    """
    centre = share + z * z / (2 * size)
    spread = z * math.sqrt(max(0.0, share * (1 - share)) / size + z * z / (4 * size * size))
    scale = 1 + z * z / size
    # Rounding must not push the share itself out of its interval.
    low, high = (centre - spread) / scale, (centre + spread) / scale
    return max(0.0, min(low, share)), min(1.0, max(high, share))
