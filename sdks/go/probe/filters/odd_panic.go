package filters

import (
	"errors"

	"github.com/envoyproxy/envoy/source/extensions/dynamic_modules/sdk/go/shared"

	"dmconform/probe/panics"
)

// oddPanicFactory makes what panics in other ways than `panic` does.
type oddPanicFactory struct{}

// Create is called once for each filter configuration.
func (oddPanicFactory) Create(_ shared.HttpFilterConfigHandle, config []byte) (shared.HttpFilterFactory, error) {
	switch kind := string(config); kind {
	case "value":
		return oddPanics(77), nil
	case "twice":
		return oddPanics(panicsToo{}), nil
	case "configuration_end":
		if filtersAreDestroyed {
			return endingConfiguration{}, nil
		}
	}
	return nil, errors.New("odd_panic: the configuration must be value, twice or, where the SDK tells of it, configuration_end")
}

// CreatePerRoute refuses.
func (oddPanicFactory) CreatePerRoute([]byte) (any, error) {
	return nil, errors.New("no configuration for a route")
}

// panicsToo is a value to panic with that panics as well, when it is asked for its text.
type panicsToo struct{}

// Error is called by whoever prints the value.
func (panicsToo) Error() string { panic("dmconform panic in the end of a panic") }

// oddPanics makes filters that panic with the value.
func oddPanics(value any) filterFactory {
	return func(shared.HttpFilterHandle) shared.HttpFilter { return &oddPanic{value: value} }
}

type oddPanic struct {
	shared.EmptyHttpFilter
	value any
}

func (f *oddPanic) OnRequestHeaders(headers shared.HeaderMap, _ bool) shared.HeadersStatus {
	if asksToPanic(headers) {
		panic(f.value)
	}
	return shared.HeadersStatusContinue
}

// endingConfiguration panics when it goes.
type endingConfiguration struct{}

// Create is called once for each request.
func (endingConfiguration) Create(shared.HttpFilterHandle) shared.HttpFilter {
	return &shared.EmptyHttpFilter{}
}

// OnDestroy is called when the configuration goes away.
func (endingConfiguration) OnDestroy() { panics.In("configuration_end") }
