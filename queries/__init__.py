"""The SQL of every result, one file each, found by name through ``importlib.resources``."""
