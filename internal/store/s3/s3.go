// Package s3 keeps finished files in a bucket of S3 or of a server that speaks its protocol.
package s3

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	aws3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"weir/internal/export"
	"weir/internal/fault"
)

// Bucket is a place in S3. It takes no credentials from the machine: an export must not act with rights its owner lacks.
type Bucket struct {
	client *aws3.Client
	name   string
	part   int64
}

var _ export.Sink = (*Bucket)(nil)

// partSize is what a file is sent in, and up to what it is sent at once. Ten thousand parts are the most.
const partSize = 64 << 20

// timeout bounds each request, which sends one part at the most.
const timeout = 5 * time.Minute

// Open returns the bucket of a target. Nothing is asked of the server yet.
func Open(client *http.Client, t export.Target) (*Bucket, error) {
	if t.AccessKeyID == "" || t.Secret == "" {
		return nil, fault.Bad("target.secret", "target.access_key_id and target.secret are required")
	}
	o := aws3.Options{
		Region: t.Region, UsePathStyle: t.PathStyle, HTTPClient: client, Credentials: credentials.NewStaticCredentialsProvider(t.AccessKeyID, t.Secret, ""),
		// Other servers than AWS's do not all know the newer checksums.
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired, ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired,
	}
	if o.Region == "" {
		o.Region = "us-east-1"
	}
	if t.Endpoint != "" {
		o.BaseEndpoint = aws.String(strings.TrimRight(t.Endpoint, "/"))
	}
	return &Bucket{client: aws3.New(o), name: t.Bucket, part: partSize}, nil
}

// Put implements export.Sink.
func (b *Bucket) Put(ctx context.Context, name string, f io.ReadSeeker, size int64) error {
	if size > b.part {
		return b.failed(b.putParts(ctx, name, f, size))
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	_, err := b.client.PutObject(ctx, &aws3.PutObjectInput{
		Bucket: &b.name, Key: &name, Body: f, ContentLength: &size, ContentType: aws.String(contentType),
	})
	return b.failed(err)
}

const contentType = "application/vnd.apache.parquet"

func (b *Bucket) putParts(ctx context.Context, name string, f io.ReadSeeker, size int64) error {
	up, err := b.begin(ctx, name)
	if err != nil {
		return err
	}
	parts, err := b.parts(ctx, name, up.UploadId, f, size)
	if err == nil {
		err = b.complete(ctx, &aws3.CompleteMultipartUploadInput{
			Bucket: &b.name, Key: &name, UploadId: up.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
		})
	}
	if err == nil {
		return nil
	}
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	_, abort := b.client.AbortMultipartUpload(after, &aws3.AbortMultipartUploadInput{Bucket: &b.name, Key: &name, UploadId: up.UploadId})
	return errors.Join(err, abort)
}

func (b *Bucket) begin(ctx context.Context, name string) (*aws3.CreateMultipartUploadOutput, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return b.client.CreateMultipartUpload(ctx, &aws3.CreateMultipartUploadInput{Bucket: &b.name, Key: &name, ContentType: aws.String(contentType)})
}

func (b *Bucket) complete(ctx context.Context, in *aws3.CompleteMultipartUploadInput) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	_, err := b.client.CompleteMultipartUpload(ctx, in)
	return err
}

func (b *Bucket) parts(ctx context.Context, name string, upload *string, f io.ReadSeeker, size int64) (done []types.CompletedPart, err error) {
	step := max(b.part, size/9000) // keeps to ten thousand parts
	r, ok := f.(io.ReaderAt)
	if !ok {
		return nil, errors.New("s3: a file in parts must be readable at any place")
	}
	for at := int64(0); at < size; at += step {
		n := int32(len(done) + 1)
		out, err := b.onePart(ctx, &aws3.UploadPartInput{
			Bucket: &b.name, Key: &name, UploadId: upload, PartNumber: &n, Body: io.NewSectionReader(r, at, min(step, size-at)),
		})
		if err != nil {
			return nil, err
		}
		done = append(done, types.CompletedPart{ETag: out.ETag, PartNumber: &n})
	}
	return done, nil
}

func (b *Bucket) onePart(ctx context.Context, in *aws3.UploadPartInput) (*aws3.UploadPartOutput, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return b.client.UploadPart(ctx, in)
}

// failed puts the server's refusal, or the reason why there was none, into words that hold no secret.
func (b *Bucket) failed(err error) error {
	if err == nil {
		return nil
	}
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f
	}
	if a, ok := errors.AsType[smithy.APIError](err); ok {
		return fault.Wrap(fault.Invalid, err, "bucket %s: the server refused with %s %s", b.name, a.ErrorCode(), a.ErrorMessage())
	}
	if errors.Is(err, context.Canceled) {
		return err
	}
	return fault.Wrap(fault.Unavailable, err, "bucket %s: the server cannot be reached", b.name)
}
