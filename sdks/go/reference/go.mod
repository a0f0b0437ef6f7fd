// This project's own minimal SDK. It has the module path of the official SDK's, so that a probe compiles against either.
module github.com/envoyproxy/envoy/source/extensions/dynamic_modules

go 1.25.6
