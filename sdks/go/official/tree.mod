// The official SDK from a tree of its sources. Takes the place of ../probe/go.mod; the path is seen from there.
module dmconform/probe

go 1.25.6

require github.com/envoyproxy/envoy/source/extensions/dynamic_modules v0.0.0

replace github.com/envoyproxy/envoy/source/extensions/dynamic_modules => ../../sdk/source/extensions/dynamic_modules
