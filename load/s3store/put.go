package s3store

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"tamiz/load"
	"tamiz/pipeline"
)

// What is kept beside each object.
const (
	digestNote = "sha256" // of its content, in hex
	writeNote  = "write"  // a random name of the call that wrote it
)

// body is a content of known length and digest.
type body struct {
	io.ReaderAt
	bytes  int64
	digest []byte
}

func hexOf(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)) }

// notes names a new write of a content.
func notes(digest string) map[string]string {
	kept := map[string]string{writeNote: rand.Text()}
	if digest != "" {
		kept[digestNote] = digest
	}
	return kept
}

// Put writes an object whole or not at all: at once if it is small, else in
// parts that become an object together.
func (s *Store) Put(ctx context.Context, key string, content io.Reader, when load.Condition) (load.Version, error) {
	name, err := s.key(key)
	if err != nil {
		return "", err
	}
	b, done, err := s.measure(content)
	if err != nil {
		return "", fmt.Errorf("put %s: %w", key, err)
	}
	defer done()
	kept := notes(hex.EncodeToString(b.digest))
	ifMatch, ifNoneMatch := headers(when)
	if b.bytes > s.partBytes {
		return s.inParts(ctx, key, kept, when, types.ChecksumAlgorithmSha256, func(ctx context.Context, upload *string) ([]types.CompletedPart, error) {
			return s.sendParts(ctx, name, upload, b)
		})
	}
	out, err := s.client.PutObject(ctx, &s3.PutObjectInput{Bucket: &s.bucket, Key: name, Metadata: kept, IfMatch: ifMatch, IfNoneMatch: ifNoneMatch,
		Body: io.NewSectionReader(b, 0, b.bytes), ContentLength: &b.bytes, ChecksumSHA256: aws.String(base64.StdEncoding.EncodeToString(b.digest))})
	if err != nil {
		return s.settle(ctx, key, kept, when, err)
	}
	return load.Version(aws.ToString(out.ETag)), nil
}

func headers(when load.Condition) (ifMatch, ifNoneMatch *string) {
	if when.Absent {
		ifNoneMatch = aws.String("*")
	} else if when.Match != "" {
		ifMatch = aws.String(string(when.Match))
	}
	return ifMatch, ifNoneMatch
}

// settle finds out what a refusal leaves open: whether the object was written
// by this very call, whose answer was lost and which was refused when it was
// tried again. The random name beside the object tells.
func (s *Store) settle(ctx context.Context, key string, kept map[string]string, when load.Condition, err error) (load.Version, error) {
	told := s.explain(ctx, "put", key, err)
	gone := errors.Is(told, fs.ErrNotExist) // the upload: it was completed before; or what the condition names
	if !gone && !errors.Is(told, load.ErrConflict) {
		return "", told
	}
	head, headErr := s.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &s.bucket, Key: aws.String(s.prefix + key)})
	switch {
	case headErr == nil && head.Metadata[writeNote] == kept[writeNote]:
		return load.Version(aws.ToString(head.ETag)), nil
	case gone && when.Match != "":
		return "", fmt.Errorf("put %s: %w", key, load.ErrConflict)
	case gone:
		return "", &pipeline.Error{Kind: pipeline.Storage, Subject: "store", Problem: "an upload was taken away before it was complete", Where: s.Address(key),
			Hint: "look for a rule of the bucket that removes unfinished uploads within the hour"}
	}
	return "", told
}

// measure gives the content as something that can be sent twice. What comes
// as a stream is laid aside: in memory if it is small, else in a file.
func (s *Store) measure(content io.Reader) (*body, func(), error) {
	done := func() {}
	source, ok := content.(interface {
		io.ReaderAt
		io.Seeker
	})
	b := &body{}
	h := sha256.New()
	if ok {
		start, err := source.Seek(0, io.SeekCurrent)
		if err == nil {
			b.bytes, err = io.Copy(h, content)
		}
		b.ReaderAt = io.NewSectionReader(source, start, b.bytes)
		b.digest = h.Sum(nil)
		return b, done, err
	}
	var head bytes.Buffer
	n, err := io.CopyN(io.MultiWriter(&head, h), content, s.partBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, err
	}
	b.ReaderAt, b.bytes = bytes.NewReader(head.Bytes()), n
	if err == nil {
		spool, err := os.CreateTemp("", "tamiz-upload-")
		if err != nil {
			return nil, nil, err
		}
		done = func() { spool.Close(); os.Remove(spool.Name()) }
		_, err = spool.Write(head.Bytes())
		if err == nil {
			n, err = io.Copy(io.MultiWriter(spool, h), content)
		}
		if err != nil {
			done()
			return nil, nil, err
		}
		b.ReaderAt, b.bytes = spool, s.partBytes+n
	}
	b.digest = h.Sum(nil)
	return b, done, nil
}

// inParts begins an upload, has its parts sent, and makes them an object if
// the condition holds. Whatever fails, nothing of it stays.
func (s *Store) inParts(ctx context.Context, key string, kept map[string]string, when load.Condition, sums types.ChecksumAlgorithm,
	send func(ctx context.Context, upload *string) ([]types.CompletedPart, error)) (load.Version, error) {
	name := aws.String(s.prefix + key)
	begun, err := s.client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: &s.bucket, Key: name, Metadata: kept,
		ChecksumAlgorithm: sums})
	if err != nil {
		return "", s.explain(ctx, "put", key, err)
	}
	parts, err := send(ctx, begun.UploadId)
	if err != nil {
		s.abort(ctx, name, begun.UploadId)
		return "", s.explain(ctx, "put", key, err)
	}
	ifMatch, ifNoneMatch := headers(when)
	out, err := s.client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: &s.bucket, Key: name, UploadId: begun.UploadId,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}, IfMatch: ifMatch, IfNoneMatch: ifNoneMatch})
	if err != nil {
		version, err := s.settle(ctx, key, kept, when, err)
		if err != nil {
			s.abort(ctx, name, begun.UploadId)
		}
		return version, err
	}
	return load.Version(aws.ToString(out.ETag)), nil
}

// abort takes back an upload as well as it can; the bucket's own rule for
// unfinished uploads sweeps what it could not.
func (s *Store) abort(ctx context.Context, name, upload *string) {
	short, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	_, _ = s.client.AbortMultipartUpload(short, &s3.AbortMultipartUploadInput{Bucket: &s.bucket, Key: name, UploadId: upload})
}

// sendParts sends a body, a few parts at a time.
func (s *Store) sendParts(ctx context.Context, name, upload *string, b *body) ([]types.CompletedPart, error) {
	const atOnce, most = 4, 10_000
	size := max(s.partBytes, (b.bytes+most-1)/most)
	parts := make([]types.CompletedPart, (b.bytes+size-1)/size)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	turns := make(chan struct{}, atOnce)
	var group sync.WaitGroup
	for i := range parts {
		turns <- struct{}{}
		group.Go(func() {
			defer func() { <-turns }()
			if ctx.Err() != nil {
				return
			}
			start := int64(i) * size
			section := io.NewSectionReader(b, start, min(size, b.bytes-start))
			h := sha256.New()
			if _, err := io.Copy(h, section); err != nil {
				cancel(fmt.Errorf("read what is to be sent: %w", err))
				return
			}
			sum := aws.String(base64.StdEncoding.EncodeToString(h.Sum(nil)))
			section = io.NewSectionReader(b, start, min(size, b.bytes-start))
			out, err := s.client.UploadPart(ctx, &s3.UploadPartInput{Bucket: &s.bucket, Key: name, UploadId: upload, PartNumber: aws.Int32(int32(i + 1)),
				Body: section, ContentLength: aws.Int64(section.Size()), ChecksumSHA256: sum})
			if err != nil {
				cancel(err)
				return
			}
			parts[i] = types.CompletedPart{PartNumber: aws.Int32(int32(i + 1)), ETag: out.ETag, ChecksumSHA256: sum}
		})
	}
	group.Wait()
	return parts, context.Cause(ctx)
}

// Copy copies on the server. It is an upload whose parts the server takes from
// the source: many services keep no condition on their plain copy.
func (s *Store) Copy(ctx context.Context, from, to string, when load.Condition) (load.Version, error) {
	if when.Match != "" {
		return "", fmt.Errorf("copy %s: only Absent can be asked of a copy", to)
	}
	source, err := s.key(from)
	if err != nil {
		return "", err
	}
	name, err := s.key(to)
	if err != nil {
		return "", err
	}
	head, err := s.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &s.bucket, Key: source})
	if err != nil {
		return "", s.explain(ctx, "copy", from, err)
	}
	kept := notes(head.Metadata[digestNote])
	return s.inParts(ctx, to, kept, when, "", func(ctx context.Context, upload *string) ([]types.CompletedPart, error) {
		return s.takeParts(ctx, *source, name, upload, head)
	})
}

// takeParts has the server take the source, part by part.
func (s *Store) takeParts(ctx context.Context, source string, name, upload *string, head *s3.HeadObjectOutput) ([]types.CompletedPart, error) {
	const size = 1 << 30
	length := aws.ToInt64(head.ContentLength)
	address := s.bucket + "/" + strings.NewReplacer("+", "%20", "%2F", "/").Replace(url.QueryEscape(source))
	var parts []types.CompletedPart
	for start := int64(0); start == 0 || start < length; start += size {
		number := aws.Int32(int32(len(parts) + 1))
		part := &s3.UploadPartCopyInput{Bucket: &s.bucket, Key: name, UploadId: upload, PartNumber: number, CopySource: &address, CopySourceIfMatch: head.ETag}
		if length > size {
			part.CopySourceRange = aws.String(fmt.Sprintf("bytes=%d-%d", start, min(start+size, length)-1))
		}
		out, err := s.client.UploadPartCopy(ctx, part)
		if err != nil {
			return nil, err
		}
		parts = append(parts, types.CompletedPart{PartNumber: number, ETag: out.CopyPartResult.ETag})
	}
	return parts, nil
}
