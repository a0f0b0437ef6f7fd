package filters

import "github.com/envoyproxy/envoy/source/extensions/dynamic_modules/sdk/go/shared"

// newBare makes filters that have no hook of their own.
func newBare(string) (filterFactory, error) {
	return func(shared.HttpFilterHandle) shared.HttpFilter { return &shared.EmptyHttpFilter{} }, nil
}
