//go:build !sdk_1_37

package filters

import "github.com/envoyproxy/envoy/source/extensions/dynamic_modules/sdk/go/shared"

// From 1.38 on header values and body chunks have a type of their own, which points into the host's memory.

type headerValue = shared.UnsafeEnvoyBuffer

type bodyChunk = shared.UnsafeEnvoyBuffer

func ownText(value headerValue) string { return value.ToString() }

func chunkBytes(chunk bodyChunk) []byte { return chunk.ToUnsafeBytes() }

// filtersAreDestroyed tells whether the SDK calls a filter when it ends.
const filtersAreDestroyed = true
