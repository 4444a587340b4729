package auth

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"weir/internal/fault"
	"weir/internal/id"
)

// LoadMasterKey is the administrator's key: given (from the environment or the configuration), else the one kept in
// dir, else a new one that is written there, readable by its owner only, so that restarts keep it. created tells that
// it is new and should be shown once.
func LoadMasterKey(dir, given string) (key string, created bool, err error) {
	if given != "" {
		if !strings.HasPrefix(given, "sk-") {
			return "", false, fault.New(fault.Invalid, "the master key must start with \"sk-\"")
		}
		return given, false, nil
	}
	return loadOrCreate(filepath.Join(dir, "master.key"), func() string { return id.Secret("sk-weir-") })
}

// loadOrCreate reads a one-line secret file, or writes it with mode 0600.
func loadOrCreate(path string, make func() string) (value string, created bool, err error) {
	for range 2 { // another process may create it between our look and our write
		b, err := os.ReadFile(path)
		if v := strings.TrimSpace(string(b)); err == nil && v != "" {
			return v, false, nil
		}
		if err == nil {
			return "", false, fmt.Errorf("auth: %s is empty; delete it to have it made anew", path)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", false, fmt.Errorf("auth: %w", err)
		}
		v := make()
		if err := writeNew(path, v+"\n"); err == nil {
			return v, true, nil
		} else if !errors.Is(err, fs.ErrExist) {
			return "", false, fmt.Errorf("auth: %w", err)
		}
	}
	return "", false, fmt.Errorf("auth: %s can be neither read nor created", path)
}

// writeNew creates a file that survives power loss, whole or not at all.
func writeNew(path, text string) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.WriteString(text)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	return os.Link(tmp.Name(), path) // unlike a rename, it fails if path exists
}

// Sealer encrypts stored credentials with AES-256-GCM and derives the key for CSRF tokens.
type Sealer struct {
	aead cipher.AEAD
	csrf []byte
}

// LoadSealer takes the secret key given (WEIR_SECRET_KEY), else the one kept in dir, else makes one there.
func LoadSealer(dir, given string) (*Sealer, error) {
	if given == "" {
		var err error
		if given, _, err = loadOrCreate(filepath.Join(dir, "secret.key"), func() string { return id.Secret("") }); err != nil {
			return nil, err
		}
	}
	return NewSealer(given)
}

// NewSealer derives its keys from a secret of at least 16 bytes.
func NewSealer(secret string) (*Sealer, error) {
	if len(secret) < 16 {
		return nil, fault.New(fault.Invalid, "the secret key must have at least 16 characters")
	}
	seal, err := hkdf.Key(sha256.New, []byte(secret), nil, "weir seal v1", 32)
	if err != nil {
		return nil, fmt.Errorf("auth: %w", err)
	}
	csrf, err := hkdf.Key(sha256.New, []byte(secret), nil, "weir csrf v1", 32)
	if err != nil {
		return nil, fmt.Errorf("auth: %w", err)
	}
	block, err := aes.NewCipher(seal)
	if err != nil {
		return nil, fmt.Errorf("auth: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("auth: %w", err)
	}
	return &Sealer{aead: aead, csrf: csrf}, nil
}

const sealVersion = "v1:"

// Seal encrypts text for storage. context binds it to its place, such as the row's id: it opens only there.
func (s *Sealer) Seal(text, context string) string {
	nonce := make([]byte, s.aead.NonceSize())
	_, _ = rand.Read(nonce) // crypto/rand.Read never fails since Go 1.24
	return sealVersion + base64.RawStdEncoding.EncodeToString(s.aead.Seal(nonce, nonce, []byte(text), []byte(context)))
}

// Open decrypts what Seal made for the same context.
func (s *Sealer) Open(sealed, context string) (string, error) {
	raw, err := base64.RawStdEncoding.DecodeString(strings.TrimPrefix(sealed, sealVersion))
	n := s.aead.NonceSize()
	if err != nil || !strings.HasPrefix(sealed, sealVersion) || len(raw) < n {
		return "", fault.New(fault.Internal, "a stored secret is damaged")
	}
	text, err := s.aead.Open(nil, raw[:n], raw[n:], []byte(context))
	if err != nil {
		return "", fault.Wrap(fault.Internal, err, "a stored secret cannot be decrypted; was the secret key changed?")
	}
	return string(text), nil
}

// csrfToken belongs to one session and needs no storage.
func (s *Sealer) csrfToken(sessionHash string) string {
	m := hmac.New(sha256.New, s.csrf)
	m.Write([]byte(sessionHash))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}
