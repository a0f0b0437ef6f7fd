//go:build !sdk_1_37

package filters

import "github.com/envoyproxy/envoy/source/extensions/dynamic_modules/sdk/go/shared"

// From 1.38 on header values and body chunks have a type of their own, which points into the host's memory.

func ownText(value shared.UnsafeEnvoyBuffer) string { return value.ToString() }

func chunkBytes(chunk shared.UnsafeEnvoyBuffer) []byte { return chunk.ToUnsafeBytes() }
