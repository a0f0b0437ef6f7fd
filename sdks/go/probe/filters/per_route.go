package filters

import (
	"errors"

	"github.com/envoyproxy/envoy/source/extensions/dynamic_modules/sdk/go/shared"

	"dmconform/probe/panics"
)

// perRouteFactory takes configurations of routes besides those of filters.
type perRouteFactory struct{ configFactory }

// CreatePerRoute is called once for each configuration of a route.
func (perRouteFactory) CreatePerRoute(config []byte) (any, error) {
	text := string(config)
	switch text {
	case "refuse":
		return nil, errors.New("per_route: this configuration of a route is refused")
	case "panic":
		panics.In("per_route_configuration")
	}
	return text, nil
}

// perRoute tells both of its configurations on the response.
type perRoute struct {
	shared.EmptyHttpFilter
	handle shared.HttpFilterHandle
	config string
}

func newPerRoute(config string) (filterFactory, error) {
	return func(handle shared.HttpFilterHandle) shared.HttpFilter {
		return &perRoute{handle: handle, config: config}
	}, nil
}

func (f *perRoute) OnResponseHeaders(headers shared.HeaderMap, _ bool) shared.HeadersStatus {
	route, given := f.handle.GetMostSpecificConfig().(string)
	if !given {
		route = "none"
	}
	headers.Set("x-dmconform-config", f.config)
	headers.Set("x-dmconform-route", route)
	return shared.HeadersStatusContinue
}
