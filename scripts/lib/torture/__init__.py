"""The figures of scripts/torture, one module for each kind of harm."""
