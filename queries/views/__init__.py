"""The views of the warehouse: the definitions of the field as SQL."""
