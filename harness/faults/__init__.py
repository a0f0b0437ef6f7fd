"""What hosts make of modules with one fault, a hook that is missing or returns null: what is counted, what clients see."""
