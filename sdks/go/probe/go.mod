module dmconform/probe

go 1.25.6

require github.com/envoyproxy/envoy/source/extensions/dynamic_modules v0.0.0

// Built as it stands, the probe uses the reference SDK. Builds with the official SDK use a file of ../official in place of this one.
replace github.com/envoyproxy/envoy/source/extensions/dynamic_modules => ../reference
