// Package filters holds the HTTP filters of the probe contract.
package filters

import (
	"errors"
	"maps"

	"github.com/envoyproxy/envoy/source/extensions/dynamic_modules/sdk/go/shared"
)

const language = "go"

// more are the filters that only some SDK versions have.
var more = map[string]shared.HttpFilterConfigFactory{}

// Factories returns every filter by its name.
func Factories() map[string]shared.HttpFilterConfigFactory {
	factories := map[string]shared.HttpFilterConfigFactory{
		"transform":    configFactory(newTransform),
		"marks":        marksFactory{},
		"local_reply":  configFactory(newLocalReply),
		"identity":     configFactory(newIdentity),
		"refuse":       configFactory(newRefuse),
		"per_route":    perRouteFactory{configFactory: newPerRoute},
		"callout":      configFactory(newCallout),
		"scheduled":    configFactory(newScheduled),
		"metadata":     configFactory(newMetadata),
		"filter_state": configFactory(newFilterState),
		"metrics":      metricsFactory{},
		"log":          configFactory(newLog),
		"panic":        configFactory(newPanic),
		"nonsense":     configFactory(newNonsense),

		"bare":           configFactory(newBare),
		"empty_value":    configFactory(newEmptyValue),
		"ends_in_event":  endsInEventFactory{},
		"odd_panic":      oddPanicFactory{},
		"kept_scheduler": configFactory(newKeptScheduler),
		"kept_handle":    configFactory(newKeptHandle),
		"kept_view":      configFactory(newKeptView),
	}
	maps.Copy(factories, more)
	return factories
}

// A configFactory turns the text of a filter configuration into what makes the filters.
type configFactory func(config string) (filterFactory, error)

// Create is called once for each filter configuration.
func (create configFactory) Create(
	_ shared.HttpFilterConfigHandle, config []byte,
) (shared.HttpFilterFactory, error) {
	factory, err := create(string(config))
	if err != nil {
		return nil, err
	}
	return factory, nil
}

// CreatePerRoute refuses: only the filter per_route takes a configuration for a route.
func (configFactory) CreatePerRoute([]byte) (any, error) {
	return nil, errors.New("no configuration for a route")
}

// A filterFactory makes the filter of one request.
type filterFactory func(handle shared.HttpFilterHandle) shared.HttpFilter

// Create is called once for each request.
func (create filterFactory) Create(handle shared.HttpFilterHandle) shared.HttpFilter {
	return create(handle)
}

// OnDestroy is called when the configuration goes away; SDKs before 1.38 never call it.
func (filterFactory) OnDestroy() {}
