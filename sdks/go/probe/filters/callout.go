package filters

import "github.com/envoyproxy/envoy/source/extensions/dynamic_modules/sdk/go/shared"

const (
	calloutTimeoutMs = 5000
	badGateway       = 502
)

// callout asks a cluster and answers the request with what that says.
type callout struct {
	shared.EmptyHttpFilter
	handle  shared.HttpFilterHandle
	cluster string
}

func newCallout(config string) (filterFactory, error) {
	return func(handle shared.HttpFilterHandle) shared.HttpFilter {
		return &callout{handle: handle, cluster: config}
	}, nil
}

func (f *callout) OnRequestHeaders(shared.HeaderMap, bool) shared.HeadersStatus {
	return stopForCallout(f.handle, f.cluster, "/callout", f)
}

// OnHttpCalloutDone is called when the cluster has answered, or cannot any more.
func (f *callout) OnHttpCalloutDone(
	_ uint64, result shared.HttpCalloutResult, headers [][2]headerValue, body []bodyChunk,
) {
	if result != shared.HttpCalloutSuccess {
		f.handle.SendLocalResponse(badGateway, nil, []byte("callout failed"), "dmconform")
		return
	}
	var status string
	for _, header := range headers {
		if ownText(header[0]) == ":status" {
			status = ownText(header[1])
		}
	}
	var whole []byte
	for _, chunk := range body {
		whole = append(whole, chunkBytes(chunk)...)
	}
	f.handle.SendLocalResponse(200, [][2]string{{"x-dmconform-callout", language + " " + status}}, whole, "dmconform")
}

// stopForCallout sends a request to a cluster and holds the stream's own one back, headers and body. Where nothing can be
// sent, the client is told so.
func stopForCallout(
	handle shared.HttpFilterHandle, cluster string, path string, done shared.HttpCalloutCallback,
) shared.HeadersStatus {
	headers := [][2]string{{":method", "GET"}, {":path", path}, {"host", "dmconform"}}
	result, _ := handle.HttpCallout(cluster, headers, nil, calloutTimeoutMs, done)
	if result != shared.HttpCalloutInitSuccess {
		handle.SendLocalResponse(badGateway, nil, []byte("callout not started"), "dmconform")
		return shared.HeadersStatusStop
	}
	return shared.HeadersStatusStopAllAndBuffer
}
