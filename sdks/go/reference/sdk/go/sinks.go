//go:build !sdk_1_37 && !sdk_1_38

package sdk

import (
	"fmt"

	"github.com/envoyproxy/envoy/source/extensions/dynamic_modules/sdk/go/shared"
)

var statSinks = map[string]shared.StatSinkConfigFactory{}

// RegisterStatSinkConfigFactories adds sinks by name. It may only be called from init functions.
func RegisterStatSinkConfigFactories(factories map[string]shared.StatSinkConfigFactory) {
	for name, factory := range factories {
		if statSinks[name] != nil {
			panic(fmt.Sprintf("two stats sinks are named %q", name))
		}
		statSinks[name] = factory
	}
}

// NewStatSink has the configuration of the named sink parsed, and the sink made.
func NewStatSink(handle shared.StatSinkHandle, name string, config []byte) (shared.StatSink, error) {
	factory := statSinks[name]
	if factory == nil {
		return nil, fmt.Errorf("this module has no stats sink %q", name)
	}
	return factory.Create(handle, config)
}
