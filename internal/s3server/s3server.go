// Package s3server gives tests a real S3 server, and a proxy before it that
// spoils its answers.
//
// In comes a test; out comes a server (versitygw, built once from its own
// module in tools/versitygw and kept in the user's cache) with an empty bucket
// and random credentials, which stops with the test. It is code of tests: the
// product never runs it.
package s3server

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/gofrs/flock"
)

// Server is a running server with one bucket.
type Server struct {
	Endpoint             string // http://127.0.0.1:port
	Bucket               string
	AccessKey, SecretKey string
	Folder               string // where the server keeps the bucket's objects, a file each
}

const region = "us-east-1"

// Start builds the server if need be and starts it for one test.
func Start(t testing.TB) *Server {
	t.Helper()
	program, err := build(t.Context())
	if err != nil {
		t.Fatalf("build the S3 server: %v", err)
	}
	dir := t.TempDir()
	s := &Server{Bucket: "tamiz", AccessKey: rand.Text(), SecretKey: rand.Text(), Folder: filepath.Join(dir, "data", "tamiz")}
	if err := os.Mkdir(filepath.Join(dir, "data"), 0o755); err != nil {
		t.Fatal(err)
	}
	for range 5 { // another program may take the port before the server does
		if err = s.run(t, program, filepath.Join(dir, "data")); err == nil {
			return s
		}
	}
	t.Fatalf("start the S3 server: %v", err)
	return nil
}

// Environment gives the variables with which a program reaches the server.
func (s *Server) Environment() []string {
	return []string{"AWS_ACCESS_KEY_ID=" + s.AccessKey, "AWS_SECRET_ACCESS_KEY=" + s.SecretKey, "AWS_REGION=" + region}
}

// Use sets the variables for the test itself.
func (s *Server) Use(t testing.TB) {
	t.Helper()
	for _, line := range s.Environment() {
		name, value, _ := strings.Cut(line, "=")
		t.Setenv(name, value)
	}
}

// run starts the program on a free port, waits for it, and makes the bucket.
func (s *Server) run(t testing.TB, program, data string) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	address := fmt.Sprintf("127.0.0.1:%d", port)
	s.Endpoint = "http://" + address
	var said bytes.Buffer
	command := exec.CommandContext(context.WithoutCancel(t.Context()), program, "--port", address, "--quiet", "posix", data)
	command.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+s.AccessKey, "ROOT_SECRET_KEY="+s.SecretKey)
	command.Stdout, command.Stderr = &said, &said
	dieWithParent(command)
	started, ended := make(chan error), make(chan error, 1)
	go func() { // a child that is to die with its parent dies with the thread that started it
		runtime.LockOSThread()
		err := command.Start()
		started <- err
		if err == nil {
			ended <- command.Wait()
		}
	}()
	if err := <-started; err != nil {
		return err
	}
	deadline := time.After(30 * time.Second)
	for {
		err := s.makeBucket(t.Context())
		if err == nil {
			break
		}
		select {
		case ended := <-ended:
			return fmt.Errorf("%w: %s", errors.Join(ended, errors.New("it ended")), said.String())
		case <-deadline:
			err = errors.Join(err, command.Process.Kill())
			<-ended
			return fmt.Errorf("it does not answer: %w: %s", err, said.String())
		case <-time.After(20 * time.Millisecond):
		}
	}
	t.Cleanup(func() {
		if err := command.Process.Kill(); err != nil {
			t.Errorf("stop the S3 server: %v", err)
		}
		<-ended
	})
	return nil
}

// LetEveryoneRead opens the bucket's objects to readers without an account.
func (s *Server) LetEveryoneRead(t testing.TB) {
	t.Helper()
	policy := fmt.Sprintf(`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::%s/*"}]}`, s.Bucket)
	if _, err := s.client().PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: &s.Bucket, Policy: &policy}); err != nil {
		t.Fatalf("open the bucket: %v", err)
	}
}

func (s *Server) client() *s3.Client {
	return s3.New(s3.Options{Region: region, BaseEndpoint: &s.Endpoint, UsePathStyle: true, RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: s.AccessKey, SecretAccessKey: s.SecretKey}, nil
		})})
}

func (s *Server) makeBucket(ctx context.Context) error {
	_, err := s.client().CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &s.Bucket})
	return err
}

func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

// build compiles the server unless that was done before: it takes minutes from
// nothing. Test processes that run beside each other wait for one of them.
func build(ctx context.Context) (string, error) {
	module, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("find the module: %w", err)
	}
	tools := filepath.Join(filepath.Dir(strings.TrimSpace(string(module))), "tools", "versitygw")
	sums, err := os.ReadFile(filepath.Join(tools, "go.sum"))
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	cache = filepath.Join(cache, "tamiz")
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", err
	}
	name := sha256.Sum256(append(sums, runtime.Version()+runtime.GOARCH...))
	program := filepath.Join(cache, "versitygw-"+hex.EncodeToString(name[:6]))
	lock := flock.New(program + ".lock")
	if _, err := lock.TryLockContext(ctx, 50*time.Millisecond); err != nil {
		return "", err
	}
	defer lock.Unlock()
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	command := exec.CommandContext(ctx, "go", "build", "-o", program+".new", "github.com/versity/versitygw/cmd/versitygw")
	command.Dir = tools
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, said)
	}
	return program, os.Rename(program+".new", program)
}

// Flip changes the first byte of an object where the server keeps it, as a
// failing disk would.
func (s *Server) Flip(t testing.TB, key string) {
	t.Helper()
	file, err := os.OpenFile(filepath.Join(s.Folder, filepath.FromSlash(key)), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	first := make([]byte, 1)
	if _, err := file.ReadAt(first, 0); err != nil {
		t.Fatal(err)
	}
	first[0] ^= 1
	if _, err := file.WriteAt(first, 0); err != nil {
		t.Fatal(err)
	}
}
