// The module `probe`: the filters of the probe contract.
package main

import (
	"os"

	sdk "github.com/envoyproxy/envoy/source/extensions/dynamic_modules/sdk/go"
	_ "github.com/envoyproxy/envoy/source/extensions/dynamic_modules/sdk/go/abi" // the module's hooks

	"dmconform/probe/filters"
)

// The SDK has no initialisation function of its own: this runs when the library is loaded.
func init() {
	_, _ = os.Stderr.WriteString("dmconform: initialised\n")
	sdk.RegisterHttpFilterConfigFactories(filters.Factories())
}

func main() {}
