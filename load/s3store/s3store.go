// Package s3store keeps the promise of [load.Store] in a bucket of any
// S3-compatible service.
//
// In come keys and contents; out go objects that appear whole or not at all,
// each with the SHA-256 of its content beside it, against which every Get is
// checked. Conditions are kept by the server (If-Match, If-None-Match). A call
// that a bad line has cut is tried again; one that hangs ends.
//
// It never shows a credential, never keeps more of an object in memory than a
// part, and never overwrites where it was told not to.
package s3store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go/logging"

	"tamiz/load"
	"tamiz/pipeline"
)

// Options say where the store lies.
type Options struct {
	Bucket    string
	Prefix    string        // of all keys, without slashes at its ends; "": the whole bucket
	Endpoint  string        // URL of the service; "": that of AWS
	Region    string        // "": what the environment says, else us-east-1
	PathStyle bool          // the bucket stands in the path of URLs, not in the host's name
	PartBytes int64         // above it an object goes up in parts of this size, 5 MiB at least; 0: 8 MiB
	Tries     int           // of each call that the line or the service lets fail; 0: 5
	Idle      time.Duration // how long a connection may be silent before the call ends; 0: a minute
}

// Store is a bucket, or a prefix of one.
type Store struct {
	client    *s3.Client
	bucket    string
	prefix    string // "" or with a slash at its end
	endpoint  string
	partBytes int64
	tries     int
}

// Open finds the credentials in the usual places (environment, shared files,
// the machine's role). It does not talk to the store yet. Without credentials
// it gives a pipeline.Error of kind Config that names the variables.
func Open(ctx context.Context, o Options) (*Store, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	client := newClient(o.Idle)
	loaded, err := config.LoadDefaultConfig(ctx, config.WithHTTPClient(client), config.WithLogger(logging.Nop{}), config.WithDefaultRegion("us-east-1"),
		config.WithRetryer(func() aws.Retryer {
			standard := retry.NewStandard(func(r *retry.StandardOptions) { r.MaxAttempts, r.MaxBackoff = o.Tries, 5*time.Second })
			return retry.AddWithErrorCodes(standard, "ConditionalRequestConflict") // a rival writes at this moment: who will have won?
		}))
	if err != nil {
		return nil, &pipeline.Error{Kind: pipeline.Config, Subject: "store", Problem: "the settings for S3 cannot be read: " + plain(err),
			Hint: "look at AWS_PROFILE, AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE"}
	}
	if err := haveCredentials(ctx, loaded.Credentials); err != nil {
		return nil, err
	}
	s := &Store{bucket: o.Bucket, endpoint: o.Endpoint, partBytes: o.PartBytes, tries: o.Tries}
	if o.Prefix != "" {
		s.prefix = o.Prefix + "/"
	}
	if s.endpoint == "" {
		s.endpoint = "AWS S3"
	}
	s.client = s3.NewFromConfig(loaded, func(so *s3.Options) {
		so.UsePathStyle = o.PathStyle
		if o.Region != "" {
			so.Region = o.Region
		}
		if o.Endpoint != "" {
			so.BaseEndpoint = aws.String(o.Endpoint)
		}
		// many services that are not AWS know no other checksums than those we send
		so.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
		so.DisableLogOutputChecksumValidationSkipped = true
	})
	return s, nil
}

// complete checks what was asked for and fills in what was not.
func (o *Options) complete() error {
	wrong := func(problem, found, hint string) error {
		return &pipeline.Error{Kind: pipeline.Config, Subject: "store", Problem: problem, Found: found, Hint: hint}
	}
	o.Prefix = strings.Trim(o.Prefix, "/")
	switch at, err := url.Parse(o.Endpoint); {
	case o.Bucket == "" || strings.Contains(o.Bucket, "/"):
		return wrong("it names no bucket", o.Bucket, "store: s3://bucket/prefix")
	case o.Prefix != "" && !fs.ValidPath(o.Prefix):
		return wrong("the prefix of the bucket is not valid", o.Prefix, "store: s3://bucket/prefix, without dots and empty parts")
	case err != nil || at.User != nil: // what stands there may be a password: not shown
		return wrong("the endpoint is not a URL, or holds a name and a password", "", "s3: {endpoint: https://host:port}; credentials stand in the environment")
	case o.Endpoint != "" && (at.Host == "" || at.Scheme != "http" && at.Scheme != "https"):
		return wrong("the endpoint is not a URL", o.Endpoint, "s3: {endpoint: https://host:port}")
	}
	if o.PartBytes == 0 {
		o.PartBytes = 8 << 20
	}
	if o.PartBytes < 5<<20 {
		return wrong("the parts of an upload are too small", fmt.Sprint(o.PartBytes, " bytes"), "5 MiB at least")
	}
	if o.Tries == 0 {
		o.Tries = 5
	}
	if o.Idle == 0 {
		o.Idle = time.Minute
	}
	return nil
}

// haveCredentials looks for them once, now: a run without them must not come
// as far as its upload. The machine's role is asked for no longer than seconds.
func haveCredentials(ctx context.Context, provider aws.CredentialsProvider) error {
	short, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if _, err := provider.Retrieve(short); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return &pipeline.Error{Kind: pipeline.Config, Subject: "store", Problem: "there are no credentials for S3",
			Expected: "the variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE with its entry in the shared credentials file, or a role of this machine",
			Effect:   "nothing can be read from or written to the store", Hint: "set the variables where this program is started (for a service: its environment file)"}
	}
	return nil
}

// key gives the object's name in the bucket.
func (s *Store) key(key string) (*string, error) {
	if !fs.ValidPath(key) || strings.HasPrefix(key, ".") {
		return nil, fmt.Errorf("store key %q is not valid", key)
	}
	return aws.String(s.prefix + key), nil
}

// Get opens an object. Reading it to its end ends in an error if the content
// is not what was put.
func (s *Store) Get(ctx context.Context, key string) (io.ReadCloser, load.Version, error) {
	name, err := s.key(key)
	if err != nil {
		return nil, "", err
	}
	out, err := s.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &s.bucket, Key: name, ChecksumMode: types.ChecksumModeEnabled})
	if err != nil {
		return nil, "", s.explain(ctx, "get", key, err)
	}
	return s.newBody(ctx, key, out), load.Version(aws.ToString(out.ETag)), nil
}

// List gives the objects below prefix, by key.
func (s *Store) List(ctx context.Context, prefix string) ([]load.Object, error) {
	if clean := strings.TrimSuffix(prefix, "/"); clean != "" && !fs.ValidPath(clean) {
		return nil, fmt.Errorf("store prefix %q is not valid", prefix)
	}
	var objects []load.Object
	pages := s3.NewListObjectsV2Paginator(s.client, &s3.ListObjectsV2Input{Bucket: &s.bucket, Prefix: aws.String(s.prefix + prefix)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, s.explain(ctx, "list", prefix, err)
		}
		for _, object := range page.Contents {
			key := strings.TrimPrefix(aws.ToString(object.Key), s.prefix)
			if strings.HasSuffix(key, "/") {
				continue // a folder that some other program has drawn
			}
			objects = append(objects, load.Object{Key: key, Bytes: aws.ToInt64(object.Size), ModifiedAt: aws.ToTime(object.LastModified)})
		}
	}
	slices.SortFunc(objects, func(a, b load.Object) int { return strings.Compare(a.Key, b.Key) })
	return objects, nil
}

// Remove removes an object.
func (s *Store) Remove(ctx context.Context, key string) error {
	name, err := s.key(key)
	if err != nil {
		return err
	}
	_, err = s.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &s.bucket, Key: name})
	if err = s.explain(ctx, "remove", key, err); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Address names the place of a key, for people.
func (s *Store) Address(key string) string { return "s3://" + path.Join(s.bucket, s.prefix, key) }

var _ load.Store = (*Store)(nil)
