"""What a case works with while it runs: a real Envoy, a client, an upstream server."""
