//go:build !sdk_1_37 && !sdk_1_38

package sdk

import (
	"fmt"

	"github.com/envoyproxy/envoy/source/extensions/dynamic_modules/sdk/go/shared"
)

var (
	networkFilters  = map[string]shared.NetworkFilterConfigFactory{}
	listenerFilters = map[string]shared.ListenerFilterConfigFactory{}
)

// RegisterNetworkFilterConfigFactories adds filters by name. It may only be called from init functions.
func RegisterNetworkFilterConfigFactories(factories map[string]shared.NetworkFilterConfigFactory) {
	for name, factory := range factories {
		if networkFilters[name] != nil {
			panic(fmt.Sprintf("two network filters are named %q", name))
		}
		networkFilters[name] = factory
	}
}

// NewNetworkFilterFactory has the configuration of the named filter parsed.
func NewNetworkFilterFactory(
	handle shared.NetworkFilterConfigHandle, name string, config []byte,
) (shared.NetworkFilterFactory, error) {
	factory := networkFilters[name]
	if factory == nil {
		return nil, fmt.Errorf("this module has no network filter %q", name)
	}
	return factory.Create(handle, config)
}

// RegisterListenerFilterConfigFactories adds filters by name. It may only be called from init functions.
func RegisterListenerFilterConfigFactories(factories map[string]shared.ListenerFilterConfigFactory) {
	for name, factory := range factories {
		if listenerFilters[name] != nil {
			panic(fmt.Sprintf("two listener filters are named %q", name))
		}
		listenerFilters[name] = factory
	}
}

// NewListenerFilterFactory has the configuration of the named filter parsed.
func NewListenerFilterFactory(
	handle shared.ListenerFilterConfigHandle, name string, config []byte,
) (shared.ListenerFilterFactory, error) {
	factory := listenerFilters[name]
	if factory == nil {
		return nil, fmt.Errorf("this module has no listener filter %q", name)
	}
	return factory.Create(handle, config)
}
