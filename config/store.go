package config

import (
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
)

// S3 says how an object store is reached. Its credentials come from the
// environment or the files that the AWS tools know, never from tamiz.yml.
type S3 struct {
	Endpoint  string `yaml:"endpoint"`   // such as https://s3.example.org; "": Amazon's
	Region    string `yaml:"region"`     // "": what the environment says
	PathStyle bool   `yaml:"path_style"` // the bucket stands in the path, not in the host's name
}

// Retention says which snapshots stay in the store. Raw bytes, logs and
// decisions always stay.
type Retention struct {
	Latest int  `yaml:"latest"` // how many; 0: all
	Yearly bool `yaml:"yearly"` // and the last of each year, however old
}

// Housekeeping says what stays in the warehouse, which can be thrown away.
type Housekeeping struct {
	Runs int  `yaml:"runs"` // how many of the last runs keep their records and artifacts
	Free Size `yaml:"free"` // room on the disk below which no run begins
}

const s3Scheme = "s3://"

var bucketPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// OnS3 reports whether the project's store is an object store.
func (p *Project) OnS3() bool { return strings.HasPrefix(p.Store, s3Scheme) }

// Bucket gives the bucket of an object store, and the prefix below which the
// store lies in it.
func (p *Project) Bucket() (bucket, prefix string) {
	bucket, prefix, _ = strings.Cut(strings.TrimPrefix(p.Store, s3Scheme), "/")
	return bucket, strings.Trim(prefix, "/")
}

// setStore reads the place of the store: a folder, or s3://bucket/prefix.
func (p *Project) setStore(text string, s3 S3) error {
	p.S3 = s3
	if !strings.HasPrefix(text, s3Scheme) {
		if strings.Contains(text, "://") {
			return fmt.Errorf("store: %q is neither a folder nor s3://bucket/prefix", text)
		}
		if s3 != (S3{}) {
			return fmt.Errorf("s3: it is given, but the store is the folder %s; write store: s3://bucket/prefix", text)
		}
		p.Store = p.inside(text)
		return nil
	}
	p.Store = strings.TrimRight(text, "/")
	if bucket, prefix := p.Bucket(); !bucketPattern.MatchString(bucket) || strings.Contains(prefix, "..") {
		return fmt.Errorf("store: %q does not name a bucket; want s3://bucket or s3://bucket/prefix", text)
	}
	if s3.Endpoint != "" {
		if parsed, err := url.Parse(s3.Endpoint); err != nil || parsed.Host == "" || parsed.User != nil || (parsed.Scheme != "https" && parsed.Scheme != "http") {
			return fmt.Errorf("s3.endpoint: want an address such as https://s3.example.org")
		}
	}
	return nil
}

// ArchiveDir is where a pipeline's public raw bytes lie on this machine: in
// the store itself if that is a folder, else in the warehouse, from where they
// are kept in the store as well.
func (p *Project) ArchiveDir(name string) string {
	if p.OnS3() {
		return filepath.Join(p.Warehouse, name, "archive")
	}
	return filepath.Join(p.Store, name, "archive")
}
