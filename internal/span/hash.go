package span

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// HashOf addresses content.
func HashOf(parts ...[]byte) Hash {
	h := sha256.New()
	for _, p := range parts {
		h.Write(p)
	}
	var sum [sha256.Size]byte
	return Hash(h.Sum(sum[:0])[:16])
}

// IsZero reports the absence of content.
func (h Hash) IsZero() bool { return h == Hash{} }

func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText writes 32 hex digits.
func (h Hash) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h[:]), nil }

// UnmarshalText reads 32 hex digits.
func (h *Hash) UnmarshalText(b []byte) error {
	if hex.DecodedLen(len(b)) != len(h) {
		return fmt.Errorf("span: a hash has 32 hex digits, got %d", len(b))
	}
	_, err := hex.Decode(h[:], b)
	return err
}
