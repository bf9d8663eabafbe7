package s3store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"tamiz/load"
	"tamiz/pipeline"
)

// rights are what the bucket's policy must allow for a call.
var rights = map[string]string{"get": "s3:GetObject", "put": "s3:PutObject and s3:AbortMultipartUpload",
	"copy": "s3:GetObject and s3:PutObject", "list": "s3:ListBucket", "remove": "s3:DeleteObject", "sweep": "s3:ListBucketMultipartUploads and s3:AbortMultipartUpload"}

// explain says in plain words what the server, or the way to it, has refused,
// and what to do. It gives nil for nil.
func (s *Store) explain(ctx context.Context, call, key string, err error) error {
	if err == nil {
		return nil
	}
	var local *fs.PathError
	if ctx.Err() != nil || errors.As(err, &local) {
		return fmt.Errorf("%s %s: %w", call, key, errors.Join(ctx.Err(), err))
	}
	fault := &pipeline.Error{Kind: pipeline.Storage, Subject: "store", Where: call + " " + s.Address(key) + " at " + s.endpoint,
		Effect: "what is published stays as it is"}
	var api smithy.APIError
	if !errors.As(err, &api) {
		fault.Problem = "it cannot be reached, or the connection broke in every try"
		fault.Found = plain(err)
		fault.Hint = "look at the network, at the endpoint's name and port, and whether the service is up; the next run tries again"
		return fault
	}
	code, status := api.ErrorCode(), 0
	var answer *awshttp.ResponseError
	if errors.As(err, &answer) {
		status = answer.HTTPStatusCode()
	}
	fault.Found = fmt.Sprintf("status %d, %s", status, code)
	if message := api.ErrorMessage(); message != "" {
		fault.Found += ": " + message
	}
	switch {
	case code == "NoSuchBucket":
		fault.Problem, fault.Hint = "there is no bucket "+s.bucket, "create the bucket, or mend its name in tamiz.yml (store: s3://bucket/prefix)"
	case code == "PreconditionFailed" || code == "ConditionalRequestConflict" || status == http.StatusPreconditionFailed || status == http.StatusConflict:
		return fmt.Errorf("%s %s: %w", call, key, load.ErrConflict)
	case code == "RequestTimeTooSkewed":
		fault.Problem, fault.Hint = "it refuses: the clock of this machine is wrong", "set the clock (timedatectl set-ntp true)"
	case code == "InvalidAccessKeyId" || code == "XAdminUserNotFound" || code == "SignatureDoesNotMatch" || code == "ExpiredToken" || code == "InvalidToken" || status == http.StatusUnauthorized:
		fault.Problem, fault.Hint = "it refuses the credentials", "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or AWS_PROFILE, AWS_SESSION_TOKEN): they are unknown to the service, wrong, or expired"
	case code == "NoSuchKey" || code == "NotFound" || code == "NoSuchUpload": // no other 404: a store must not look empty because it is not the right one
		return fmt.Errorf("%s %s: %w", call, key, fs.ErrNotExist)
	case status == http.StatusForbidden:
		fault.Problem = "it refuses: the right is missing"
		fault.Expected = "the right to " + rights[call]
		fault.Hint = "ask whoever keeps the bucket to allow " + rights[call] + " on " + s.bucket + " to these credentials; for an object that is not there, s3:ListBucket is needed too"
	case status == http.StatusMovedPermanently || code == "AuthorizationHeaderMalformed" || code == "IllegalLocationConstraintException":
		fault.Problem, fault.Hint = "the bucket lies in another region", "mend s3: {region: …} in tamiz.yml"
	case status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests || code == "SlowDown":
		fault.Problem, fault.Hint = "it is overloaded and refused every try", "nothing need be done if it passes; the next run tries again"
	case status == http.StatusInsufficientStorage || code == "QuotaExceeded" || code == "NoSpaceLeftOnDevice":
		fault.Problem, fault.Hint = "it is full", "make room, or ask whoever keeps the bucket for a larger quota"
	default:
		fault.Problem, fault.Hint = "it could not do what was asked", "if it goes on, show the line 'found' to whoever keeps the store"
	}
	return fault
}

// plain gives the innermost cause: the layers above it repeat the request.
func plain(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		var network *net.OpError
		if errors.As(err, &network) {
			return network.Error()
		}
		err = inner
	}
}
