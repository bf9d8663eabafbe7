package csvtext

import "io"

// Offset tells how many bytes of the source stand before the next record.
func (r *Records) Offset() int64 { return r.base + int64(r.begin) }

// Line is the physical line on which the next record begins, from 1.
func (r *Records) Line() int64 { return r.line }

// Resume goes on with another source: the rest of the same file from the
// beginning of a record on, with the offset and physical line of that record.
func (r *Records) Resume(source io.Reader, offset, line int64) {
	r.source, r.base, r.line = source, offset, line
	r.begin, r.end, r.final = 0, 0, false
}
