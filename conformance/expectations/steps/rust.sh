# The Rust SDK of 1.39.0. SDK can name another place of the crate, as in Cargo.toml.
mkdir src
cat > Cargo.toml <<END
[package]
name = "probe"
version = "0.1.0"
edition = "2021"
[lib]
crate-type = ["cdylib"]
[dependencies.envoy-proxy-dynamic-modules-rust-sdk]
${SDK:-git = "https://github.com/envoyproxy/envoy"
rev = "8eea3285d6bdb89f8ea34632cfe7ce1608a8f374"}
END
