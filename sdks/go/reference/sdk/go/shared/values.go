//go:build !sdk_1_37

package shared

import (
	"bytes"
	"strings"
	"unsafe"
)

// HeaderValue is a header's name or value, in the host's memory.
type HeaderValue = UnsafeEnvoyBuffer

// BodyChunk is a piece of a body, in the host's memory.
type BodyChunk = UnsafeEnvoyBuffer

// UnsafeEnvoyBuffer is memory of the host's, which may be used during the callback only.
type UnsafeEnvoyBuffer struct {
	Ptr *byte
	Len uint64
}

// ToUnsafeBytes returns the memory itself.
func (b UnsafeEnvoyBuffer) ToUnsafeBytes() []byte { return unsafe.Slice(b.Ptr, b.Len) }

// ToBytes returns a copy.
func (b UnsafeEnvoyBuffer) ToBytes() []byte { return bytes.Clone(b.ToUnsafeBytes()) }

// ToUnsafeString returns the memory itself.
func (b UnsafeEnvoyBuffer) ToUnsafeString() string { return unsafe.String(b.Ptr, b.Len) }

// ToString returns a copy.
func (b UnsafeEnvoyBuffer) ToString() string { return strings.Clone(b.ToUnsafeString()) }
