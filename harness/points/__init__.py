"""How an Envoy is made to use a module at each of its extension points."""
