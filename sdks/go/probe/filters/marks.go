package filters

import (
	"errors"

	"github.com/envoyproxy/envoy/source/extensions/dynamic_modules/sdk/go/shared"

	"dmconform/probe/life"
)

// marks does what transform does, with any bytes as its configuration, and tells of its life.
type marks struct {
	transform
	life *life.Life
}

func (f *marks) OnRequestHeaders(headers shared.HeaderMap, endOfStream bool) shared.HeadersStatus {
	f.life.Used()
	return f.transform.OnRequestHeaders(headers, endOfStream)
}

// OnDestroy is never called by SDKs before 1.38.
func (f *marks) OnDestroy() { f.life.End() }

type marksFactory struct{}

// Create is called once for each filter configuration.
func (marksFactory) Create(_ shared.HttpFilterConfigHandle, config []byte) (shared.HttpFilterFactory, error) {
	return &marksFilters{life.Begin("http_filter", "configuration", config)}, nil
}

// CreatePerRoute refuses.
func (marksFactory) CreatePerRoute([]byte) (any, error) {
	return nil, errors.New("no configuration for a route")
}

// marksFilters makes the filters of a configuration.
type marksFilters struct{ life *life.Life }

// Create is called once for each request.
func (f *marksFilters) Create(handle shared.HttpFilterHandle) shared.HttpFilter {
	return &marks{newTransformFilter(handle, "["+f.life.Config()+"]"), f.life.Part("filter")}
}

// OnDestroy is called when the configuration goes away; SDKs before 1.38 never call it.
func (f *marksFilters) OnDestroy() { f.life.End() }
