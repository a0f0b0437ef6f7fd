//go:build !sdk_1_37 && !sdk_1_38

package filters

import (
	"errors"
	"os"

	"github.com/envoyproxy/envoy/source/extensions/dynamic_modules/sdk/go/shared"
)

func init() { more["recreates"] = configFactory(newRecreates) }

// recreates starts its stream anew, and says whether it was destroyed while its callback still ran.
type recreates struct {
	shared.EmptyHttpFilter
	handle    shared.HttpFilterHandle
	headers   [][2]string
	destroyed bool
}

func newRecreates(config string) (filterFactory, error) {
	var headers [][2]string
	switch config {
	case "":
	case "headers":
		headers = [][2]string{
			{":method", "GET"}, {":path", "/again"}, {":scheme", "http"}, {":authority", "dmconform"},
			{"x-dmconform-again", "yes"}, {"x-dmconform-new", "yes"},
		}
	default:
		return nil, errors.New("recreates: the configuration must be empty or headers")
	}
	return func(handle shared.HttpFilterHandle) shared.HttpFilter {
		return &recreates{handle: handle, headers: headers}
	}, nil
}

func (f *recreates) OnRequestHeaders(headers shared.HeaderMap, _ bool) shared.HeadersStatus {
	if len(headers.Get("x-dmconform-again")) > 0 {
		return shared.HeadersStatusContinue
	}
	headers.Set("x-dmconform-again", "yes")
	when := "dmconform: not recreated\n"
	if f.handle.RecreateStream(f.headers) {
		when = "dmconform: not destroyed within its callback\n"
		if f.destroyed {
			when = "dmconform: destroyed within its callback\n"
		}
	}
	_, _ = os.Stderr.WriteString(when)
	return shared.HeadersStatusStop
}

func (f *recreates) OnDestroy() { f.destroyed = true }
