package shared

// HeadersStatus is what a filter has the host do after a callback for headers.
type HeadersStatus int32

// The numbers are the ABI's; 2 is not offered to filters.
const (
	HeadersStatusContinue            HeadersStatus = 0
	HeadersStatusStop                HeadersStatus = 1
	HeadersStatusStopAllAndBuffer    HeadersStatus = 3
	HeadersStatusStopAllAndWatermark HeadersStatus = 4
	HeadersStatusDefault             HeadersStatus = HeadersStatusContinue
)

// BodyStatus is what a filter has the host do after a callback for a part of a body.
type BodyStatus int32

// The numbers are the ABI's.
const (
	BodyStatusContinue         BodyStatus = 0
	BodyStatusStopAndBuffer    BodyStatus = 1
	BodyStatusStopAndWatermark BodyStatus = 2
	BodyStatusStopNoBuffer     BodyStatus = 3
	BodyStatusDefault          BodyStatus = BodyStatusContinue
)

// TrailersStatus is what a filter has the host do after a callback for trailers.
type TrailersStatus int32

// The numbers are the ABI's.
const (
	TrailersStatusContinue TrailersStatus = 0
	TrailersStatusStop     TrailersStatus = 1
	TrailersStatusDefault  TrailersStatus = TrailersStatusContinue
)

// LogLevel is a level of the host's log.
type LogLevel uint32

// The numbers are the ABI's.
const (
	LogLevelTrace LogLevel = iota
	LogLevelDebug
	LogLevelInfo
	LogLevelWarn
	LogLevelError
	LogLevelCritical
	LogLevelOff
)
