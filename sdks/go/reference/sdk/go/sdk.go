// Package sdk is where a module registers its filters.
package sdk

import (
	"fmt"

	"github.com/envoyproxy/envoy/source/extensions/dynamic_modules/sdk/go/shared"
)

var httpFilters = map[string]shared.HttpFilterConfigFactory{}

// RegisterHttpFilterConfigFactories adds filters by name. It may only be called from init functions.
func RegisterHttpFilterConfigFactories(factories map[string]shared.HttpFilterConfigFactory) {
	for name, factory := range factories {
		if GetHttpFilterConfigFactory(name) != nil {
			panic(fmt.Sprintf("two HTTP filters are named %q", name))
		}
		httpFilters[name] = factory
	}
}

// GetHttpFilterConfigFactory returns what was registered under a name, or nil.
func GetHttpFilterConfigFactory(name string) shared.HttpFilterConfigFactory {
	return httpFilters[name]
}

// NewHttpFilterFactory has the configuration of the named filter parsed.
func NewHttpFilterFactory(
	handle shared.HttpFilterConfigHandle, name string, config []byte,
) (shared.HttpFilterFactory, error) {
	factory := GetHttpFilterConfigFactory(name)
	if factory == nil {
		return nil, fmt.Errorf("this module has no HTTP filter %q", name)
	}
	return factory.Create(handle, config)
}

// NewHttpFilterRouteConfig has the configuration of a route for the named filter parsed.
func NewHttpFilterRouteConfig(name string, config []byte) (any, error) {
	factory := GetHttpFilterConfigFactory(name)
	if factory == nil {
		return nil, fmt.Errorf("this module has no HTTP filter %q", name)
	}
	return factory.CreatePerRoute(config)
}
