"""Mutants of an area in one program, each behind a switch that the environment sets, so that none of them costs a build."""
