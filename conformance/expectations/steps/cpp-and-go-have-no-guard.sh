. "$steps/common.sh"

# The Go SDK of 1.38.0, from Go's module proxy. Without GODEBUG the Go runtime ends Envoy before anything panics.
export GODEBUG=cgocheck=0
sdk=github.com/envoyproxy/envoy/source/extensions/dynamic_modules
cat > go.mod <<END
module probe
go 1.25
require $sdk v0.0.0-20260423231439-f1dd21b16c24
END
cat > main.go <<END
// A filter that panics when it sees a request.
package main

import (
	sdk "$sdk/sdk/go"
	_ "$sdk/sdk/go/abi"
	"$sdk/sdk/go/shared"
)

type filter struct{ shared.EmptyHttpFilter }

func (*filter) OnRequestHeaders(shared.HeaderMap, bool) shared.HeadersStatus { panic("on purpose") }

type factory struct{ shared.EmptyHttpFilterFactory }

func (*factory) Create(shared.HttpFilterHandle) shared.HttpFilter { return &filter{} }

type config struct{ shared.EmptyHttpFilterConfigFactory }

func (*config) Create(shared.HttpFilterConfigHandle, []byte) (shared.HttpFilterFactory, error) {
	return &factory{}, nil
}

func init() {
	sdk.RegisterHttpFilterConfigFactories(map[string]shared.HttpFilterConfigFactory{"probe": &config{}})
}

func main() {}
END
GOFLAGS=-mod=mod go build -buildmode=c-shared -o libprobe.so . || exit 2

listener main '{name: probe}' | configure
start
wait_for live
curl -s --max-time 5 --unix-socket main.sock http://envoy/
wait "$pid"
echo "a request: Envoy ended with exit status $?"
pid=
grep -o -m 1 'panic: on purpose' envoy.log
