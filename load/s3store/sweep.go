package s3store

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Sweep takes back uploads below the store's prefix that were begun longer ago
// than age and never completed: those of programs that were killed. No reader
// sees them, but they are paid for. It gives how many there were.
func (s *Store) Sweep(ctx context.Context, age time.Duration) (int, error) {
	swept := 0
	pages := s3.NewListMultipartUploadsPaginator(s.client, &s3.ListMultipartUploadsInput{Bucket: &s.bucket, Prefix: &s.prefix})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return swept, s.explain(ctx, "sweep", "", err)
		}
		for _, upload := range page.Uploads {
			if time.Since(aws.ToTime(upload.Initiated)) < age {
				continue
			}
			_, err := s.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &s.bucket, Key: upload.Key, UploadId: upload.UploadId})
			if err != nil {
				return swept, s.explain(ctx, "sweep", aws.ToString(upload.Key), err)
			}
			swept++
		}
	}
	return swept, nil
}
