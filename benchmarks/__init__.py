"""How fast maestro-flow is, as ratios to floors measured in the same run. See README.md."""
