// The official SDK from the module proxy. Takes the place of ../probe/go.mod.
module dmconform/probe

go 1.25.6

require github.com/envoyproxy/envoy/source/extensions/dynamic_modules v0.0.0-20260423231439-f1dd21b16c24
