"""The contract of step types, and how they are found."""
