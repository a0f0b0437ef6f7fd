//go:build !sdk_1_37 && !sdk_1_38

package main

import (
	sdk "github.com/envoyproxy/envoy/source/extensions/dynamic_modules/sdk/go"

	"dmconform/probe/sink"
)

// The SDK has stats sinks from 1.39 on.
func init() {
	sdk.RegisterStatSinkConfigFactories(sink.Factories())
}
