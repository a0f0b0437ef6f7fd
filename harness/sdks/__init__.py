"""The SDK versions: what `sdks/LANGUAGE/sdk.toml` says of them."""
