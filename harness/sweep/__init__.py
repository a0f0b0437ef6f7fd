"""A sweep over the callbacks: a generated module calls them in real Envoys, and what they give is compared between releases."""
