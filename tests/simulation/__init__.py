"""The deterministic simulation: real nodes on one virtual clock and a faulty store, from a seed; see ``__main__``."""
