package filters

import (
	"fmt"
	"strconv"

	"github.com/envoyproxy/envoy/source/extensions/dynamic_modules/sdk/go/shared"
)

// localReply answers a request by itself.
type localReply struct {
	shared.EmptyHttpFilter
	handle shared.HttpFilterHandle
	status uint32
}

func newLocalReply(config string) (filterFactory, error) {
	status, err := strconv.ParseUint(config, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("local_reply: the configuration must be a status code: %w", err)
	}
	return func(handle shared.HttpFilterHandle) shared.HttpFilter {
		return &localReply{handle: handle, status: uint32(status)}
	}, nil
}

func (f *localReply) OnRequestHeaders(shared.HeaderMap, bool) shared.HeadersStatus {
	headers := [][2]string{{"x-dmconform-local", language}}
	f.handle.SendLocalResponse(f.status, headers, []byte("local reply"), "dmconform")
	return shared.HeadersStatusStop
}
