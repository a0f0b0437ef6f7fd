"""A cell as an archive that runs elsewhere."""
