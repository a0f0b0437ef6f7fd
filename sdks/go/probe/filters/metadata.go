package filters

import (
	"strconv"

	"github.com/envoyproxy/envoy/source/extensions/dynamic_modules/sdk/go/shared"
)

const metadataNamespace = "dmconform"

// metadata sets dynamic metadata on the request and reads it on the response.
type metadata struct {
	shared.EmptyHttpFilter
	handle shared.HttpFilterHandle
	text   string
}

func newMetadata(config string) (filterFactory, error) {
	return func(handle shared.HttpFilterHandle) shared.HttpFilter {
		return &metadata{handle: handle, text: config}
	}, nil
}

func (f *metadata) OnRequestHeaders(shared.HeaderMap, bool) shared.HeadersStatus {
	f.handle.SetMetadata(metadataNamespace, "text", f.text)
	f.handle.SetMetadata(metadataNamespace, "number", 7.0)
	return shared.HeadersStatusContinue
}

func (f *metadata) OnResponseHeaders(headers shared.HeaderMap, _ bool) shared.HeadersStatus {
	text, number := "-", "-"
	if found, there := f.handle.GetMetadataString(shared.MetadataSourceTypeDynamic, metadataNamespace, "text"); there {
		text = orDash(ownText(found))
	}
	if found, there := f.handle.GetMetadataNumber(shared.MetadataSourceTypeDynamic, metadataNamespace, "number"); there {
		number = strconv.FormatFloat(found, 'f', -1, 64)
	}
	headers.Set("x-dmconform-metadata", text+" "+number)
	return shared.HeadersStatusContinue
}
