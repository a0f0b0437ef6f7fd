package filters

import "github.com/envoyproxy/envoy/source/extensions/dynamic_modules/sdk/go/shared"

// transform puts its mark on the headers and trailers and around the bodies of a request and its response.
type transform struct {
	shared.EmptyHttpFilter
	handle   shared.HttpFilterHandle
	text     string
	request  heldBody
	response heldBody
}

func newTransform(config string) (filterFactory, error) {
	return func(handle shared.HttpFilterHandle) shared.HttpFilter {
		filter := newTransformFilter(handle, config)
		return &filter
	}, nil
}

func newTransformFilter(handle shared.HttpFilterHandle, text string) transform {
	return transform{handle: handle, text: text, request: heldBody{label: "req"}, response: heldBody{label: "res"}}
}

func (f *transform) OnRequestHeaders(headers shared.HeaderMap, _ bool) shared.HeadersStatus {
	in := orDash(ownText(headers.GetOne("x-dmconform-in")))
	headers.Set("x-dmconform-request", language+" "+f.text+" "+in)
	headers.Remove("content-length")
	return shared.HeadersStatusContinue
}

func (f *transform) OnRequestBody(body shared.BodyBuffer, endOfStream bool) shared.BodyStatus {
	return f.request.onBody(body, endOfStream)
}

func (f *transform) OnRequestTrailers(trailers shared.HeaderMap) shared.TrailersStatus {
	trailers.Set("x-dmconform-request-trailer", language+" "+f.text)
	return f.request.onTrailers(f.handle.BufferedRequestBody())
}

func (f *transform) OnResponseHeaders(headers shared.HeaderMap, _ bool) shared.HeadersStatus {
	headers.Set("x-dmconform-response", language+" "+f.text)
	headers.Remove("content-length")
	return shared.HeadersStatusContinue
}

func (f *transform) OnResponseBody(body shared.BodyBuffer, endOfStream bool) shared.BodyStatus {
	return f.response.onBody(body, endOfStream)
}

func (f *transform) OnResponseTrailers(trailers shared.HeaderMap) shared.TrailersStatus {
	trailers.Set("x-dmconform-response-trailer", language+" "+f.text)
	return f.response.onTrailers(f.handle.BufferedResponseBody())
}

// heldBody keeps a body back until it is whole and then lets it go with a label around it. It collects the body itself:
// whether the host's buffer holds the newest chunk already differs between hosts.
type heldBody struct {
	label string
	seen  bool
	held  []byte
}

func (b *heldBody) onBody(body shared.BodyBuffer, endOfStream bool) shared.BodyStatus {
	b.seen = true
	for _, chunk := range body.GetChunks() {
		b.held = append(b.held, chunkBytes(chunk)...)
	}
	body.Drain(body.GetSize())
	if !endOfStream {
		return shared.BodyStatusStopNoBuffer
	}
	body.Append(b.labelled())
	return shared.BodyStatusContinue
}

// onTrailers is the end of a body that has trailers after it.
func (b *heldBody) onTrailers(buffered shared.BodyBuffer) shared.TrailersStatus {
	if b.seen {
		buffered.Append(b.labelled())
	}
	return shared.TrailersStatusContinue
}

func (b *heldBody) labelled() []byte {
	return []byte(b.label + "[" + string(b.held) + "]")
}
