"""How fast maestro-flow is, as ratios to floors that are measured in the same run. See README.md."""
