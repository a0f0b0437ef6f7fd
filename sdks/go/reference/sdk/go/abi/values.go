//go:build !sdk_1_37

package abi

import (
	"unsafe"

	"github.com/envoyproxy/envoy/source/extensions/dynamic_modules/sdk/go/shared"
)

func headerValue(memory []byte) shared.HeaderValue { return bodyChunk(memory) }

func bodyChunk(memory []byte) shared.BodyChunk {
	return shared.UnsafeEnvoyBuffer{Ptr: unsafe.SliceData(memory), Len: uint64(len(memory))}
}
