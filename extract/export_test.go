package extract

import "context"

// Unreadable is what the reader says of a decoder's error.
func Unreadable(ctx context.Context, what string, err error) error {
	r := &reading{ctx: ctx}
	return r.unreadable(what, err)
}
