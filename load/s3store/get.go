package s3store

import (
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"tamiz/load"
	"tamiz/pipeline"
)

// storedBody reads an object, goes on where a line broke, and compares all of
// it with its SHA-256.
type storedBody struct {
	io.ReadCloser
	ctx     context.Context // of the call that opened it
	store   *Store
	key     string
	version *string
	want    string // SHA-256, "" if whoever put it left none
	read    int64
	left    int64
	breaks  int // of the line, since something came
	hash    hash.Hash
}

func (s *Store) newBody(ctx context.Context, key string, out *s3.GetObjectOutput) *storedBody {
	return &storedBody{ReadCloser: out.Body, ctx: ctx, store: s, key: key, version: out.ETag, want: out.Metadata[digestNote],
		left: aws.ToInt64(out.ContentLength), hash: sha256.New()}
}

// Read gives what comes next; at the end, load.ErrDamaged if it was not what
// had been put.
func (b *storedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.hash.Write(p[:n])
	b.read, b.left = b.read+int64(n), b.left-int64(n)
	if n > 0 {
		b.breaks = 0
	}
	switch {
	case err == nil:
		return n, nil
	case b.ctx.Err() != nil:
		return n, b.store.explain(b.ctx, "get", b.key, err)
	case b.left > 0:
		return n, b.goOn(err)
	case err != io.EOF, b.want != "" && b.want != hexOf(b.hash): // all came, but not as the service's own checksum or ours says
		return n, &pipeline.Error{Kind: pipeline.Storage, Subject: b.key, Err: load.ErrDamaged,
			Where: b.store.Address(b.key), Expected: "sha256 " + b.want, Found: "sha256 " + hexOf(b.hash), Hint: "restore the object from a copy of the store; `tamiz store check` looks at all of them"}
	}
	return n, io.EOF
}

// goOn asks for the rest of the same version.
func (b *storedBody) goOn(cause error) error {
	if b.breaks++; b.breaks >= b.store.tries {
		return b.store.explain(b.ctx, "get", b.key, cause)
	}
	out, err := b.store.client.GetObject(b.ctx, &s3.GetObjectInput{Bucket: &b.store.bucket, Key: aws.String(b.store.prefix + b.key), IfMatch: b.version,
		Range: aws.String(fmt.Sprintf("bytes=%d-", b.read))})
	if err != nil {
		return b.store.explain(b.ctx, "get", b.key, err)
	}
	_ = b.ReadCloser.Close() // it is broken
	b.ReadCloser = out.Body
	return nil
}
