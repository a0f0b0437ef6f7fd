"""What a run will do: cases, selectors, cells, expectations."""
