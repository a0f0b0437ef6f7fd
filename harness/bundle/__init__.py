"""`dmconform bundle`: a cell as an archive that runs again on another machine, without this repository."""
