"""`dmconform nightly`: the matrix of tonight, held against that of the night before."""
