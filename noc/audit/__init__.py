"""The audit cycle: findings and behavioural baselines."""
