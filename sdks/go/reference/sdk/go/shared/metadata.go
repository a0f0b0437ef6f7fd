package shared

// MetadataSourceType is where metadata is read.
type MetadataSourceType uint32

// The numbers are the ABI's.
const (
	MetadataSourceTypeDynamic MetadataSourceType = iota
	MetadataSourceTypeRoute
	MetadataSourceTypeCluster
	MetadataSourceTypeHost
	MetadataSourceTypeHostLocality
)

// StreamMetadata is what filters leave with a stream for others. Values that it returns may be used during the callback only.
type StreamMetadata interface {
	// GetMetadataString returns a value and whether it is there and a string.
	GetMetadataString(source MetadataSourceType, metadataNamespace, key string) (HeaderValue, bool)
	// GetMetadataNumber returns a value and whether it is there and a number.
	GetMetadataNumber(source MetadataSourceType, metadataNamespace, key string) (float64, bool)
	// SetMetadata sets a value of the stream's dynamic metadata: a string, an int or a float64.
	SetMetadata(metadataNamespace, key string, value any)
	// GetFilterState returns the bytes under a key and whether there are any.
	GetFilterState(key string) (BodyChunk, bool)
	// SetFilterState sets the bytes under a key.
	SetFilterState(key string, value []byte)
}
