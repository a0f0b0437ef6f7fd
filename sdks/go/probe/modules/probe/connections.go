//go:build !sdk_1_37 && !sdk_1_38

package main

import (
	sdk "github.com/envoyproxy/envoy/source/extensions/dynamic_modules/sdk/go"

	"dmconform/probe/listener"
	"dmconform/probe/network"
)

// The SDK has filters of connections from 1.39 on.
func init() {
	sdk.RegisterNetworkFilterConfigFactories(network.Factories())
	sdk.RegisterListenerFilterConfigFactories(listener.Factories())
}
