//go:build sdk_1_37

package abi

import "github.com/envoyproxy/envoy/source/extensions/dynamic_modules/sdk/go/shared"

func headerValue(memory []byte) shared.HeaderValue { return string(memory) }

func bodyChunk(memory []byte) shared.BodyChunk { return memory }
