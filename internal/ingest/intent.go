package ingest

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"weir/internal/fault"
	"weir/internal/gateway"
	"weir/internal/money"
	"weir/internal/tenant"
)

// An intent is written as: two magic bytes, length and CRC-32C of the payload (4 bytes each, big-endian), payload. Ids
// in hex are packed, so that a usual intent takes less than 256 bytes.
var intentMagic = []byte{0xA7, 'I'}

const (
	intentHeader = 2 + 4 + 4
	intentMax    = 64 << 10
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func appendIntent(dst []byte, i *gateway.Intent) []byte {
	at := len(dst)
	dst = append(dst, intentMagic...)
	dst = append(dst, make([]byte, 8)...)
	for _, s := range []string{
		i.Trace, i.Span, string(i.Project), string(i.Key), string(i.User), string(i.Team), clip(i.Group), clip(i.Deployment),
	} {
		dst = appendPacked(dst, s)
	}
	dst = binary.AppendVarint(dst, i.Start.UnixNano())
	dst = binary.AppendVarint(dst, int64(i.Reserved))
	payload := dst[at+intentHeader:]
	binary.BigEndian.PutUint32(dst[at+2:], uint32(len(payload)))
	binary.BigEndian.PutUint32(dst[at+6:], crc32.Checksum(payload, castagnoli))
	return dst
}

// clip keeps a name that only serves display within bounds.
func clip(s string) string { return s[:min(len(s), 128)] }

// appendPacked writes length<<1 and the bytes, or length<<1|1 and half as many for lower-case hex.
func appendPacked(dst []byte, s string) []byte {
	var b [64]byte
	if n := hex.DecodedLen(len(s)); len(s)%2 == 0 && 0 < n && n <= len(b) && lowerHex(s) {
		_, _ = hex.Decode(b[:n], []byte(s))
		return append(binary.AppendUvarint(dst, uint64(n)<<1|1), b[:n]...)
	}
	return append(binary.AppendUvarint(dst, uint64(len(s))<<1), s...)
}

func lowerHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

var errIntent = errors.New("ingest: damaged intent")

func parsePacked(b []byte) (s string, rest []byte, err error) {
	v, w := binary.Uvarint(b)
	if n := v >> 1; w <= 0 || n > uint64(len(b)-w) {
		return "", nil, errIntent
	}
	end := w + int(v>>1)
	if v&1 == 1 {
		return hex.EncodeToString(b[w:end]), b[end:], nil
	}
	return string(b[w:end]), b[end:], nil
}

func parseIntent(payload []byte) (i gateway.Intent, err error) {
	var project, key, user, team string
	for _, s := range []*string{&i.Trace, &i.Span, &project, &key, &user, &team, &i.Group, &i.Deployment} {
		if *s, payload, err = parsePacked(payload); err != nil {
			return i, err
		}
	}
	i.Project, i.Key, i.User, i.Team = tenant.ProjectID(project), tenant.KeyID(key), tenant.UserID(user), tenant.TeamID(team)
	start, w := binary.Varint(payload)
	if w <= 0 {
		return i, errIntent
	}
	reserved, w2 := binary.Varint(payload[w:])
	if w2 <= 0 || w+w2 != len(payload) {
		return i, errIntent
	}
	i.Start, i.Reserved = time.Unix(0, start).UTC(), money.Nano(reserved)
	return i, nil
}

// readIntents returns every whole intent in b. Damage between intents, such as a torn write, is stepped over.
func readIntents(b []byte) (all []gateway.Intent) {
	for len(b) >= intentHeader {
		if !bytes.HasPrefix(b, intentMagic) {
			n := bytes.Index(b[1:], intentMagic)
			if n < 0 {
				return all
			}
			b = b[1+n:]
			continue
		}
		i, size, err := readIntent(b)
		if err != nil {
			b = b[1:]
			continue
		}
		all = append(all, i)
		b = b[size:]
	}
	return all
}

func readIntent(b []byte) (gateway.Intent, int, error) {
	n := int(binary.BigEndian.Uint32(b[2:]))
	if n > intentMax || n > len(b)-intentHeader {
		return gateway.Intent{}, 0, errIntent
	}
	payload := b[intentHeader : intentHeader+n]
	if crc32.Checksum(payload, castagnoli) != binary.BigEndian.Uint32(b[6:]) {
		return gateway.Intent{}, 0, errIntent
	}
	i, err := parseIntent(payload)
	return i, intentHeader + n, err
}

// callKey names a call in flight.
type callKey struct{ trace, span string }

// intentLog is a file with a note for each call in flight, and for calls that ended since its last rotation. Notes are
// never synced: they are there to survive a kill of the process, not of the machine.
type intentLog struct {
	mu     sync.Mutex
	path   string
	file   notes
	size   int64 // of the notes in it
	live   map[callKey][]byte
	bytes  int64 // of live
	rotate int64
}

// rotateAt is the size at which notes of ended calls are dropped from the file. Every note in it costs a look-up at
// the next start.
const rotateAt = 512 << 10

func newIntentLog(dir string) *intentLog {
	return &intentLog{path: filepath.Join(dir, "intents.log"), live: map[callKey][]byte{}, rotate: rotateAt}
}

// leftovers reads the notes of the last process, and when it last wrote one.
func (l *intentLog) leftovers() ([]gateway.Intent, time.Time, error) {
	b, err := os.ReadFile(l.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, time.Time{}, nil
	}
	if err != nil {
		return nil, time.Time{}, fault.Wrap(fault.Internal, err, "intents of the last run cannot be read")
	}
	all := readIntents(b)
	var last time.Time
	if info, err := os.Stat(l.path); err == nil {
		last = info.ModTime()
	}
	for _, i := range all { // a mapped file tells the time of its pages only
		if i.Start.After(last) {
			last = i.Start
		}
	}
	return all, last, nil
}

// open starts a fresh file, forgetting leftovers.
func (l *intentLog) open() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.rewrite(l.room())
}

// room is what the next file is to hold before it is replaced, which is when there is none for another note.
func (l *intentLog) room() int { return int(l.limit()) }

// limit is the size at which the file is replaced.
func (l *intentLog) limit() int64 { return max(l.rotate, 4*l.bytes) }

// rewrite replaces the file by one that holds the live notes only, with room for others.
func (l *intentLog) rewrite(room int) error {
	var b []byte
	for _, note := range l.live {
		b = append(b, note...)
	}
	next := l.path + ".new"
	f, err := createNotes(next, b, room)
	if err != nil {
		return fault.Wrap(fault.Internal, err, "intents cannot be written")
	}
	if err = os.Rename(next, l.path); err != nil {
		_ = f.Close()
		return fault.Wrap(fault.Internal, err, "intents cannot be written")
	}
	if l.file != nil {
		_ = l.file.Close()
	}
	l.file, l.size = f, int64(len(b))
	return nil
}

func (l *intentLog) begin(i *gateway.Intent) error {
	note := appendIntent(make([]byte, 0, 256), i)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return fault.New(fault.Unavailable, "recording is stopped")
	}
	if l.size+int64(len(note)) > l.limit() {
		if err := l.rewrite(l.room()); err != nil && l.size > 64*l.rotate {
			return err // until then a file that grows is better than a call refused
		}
	}
	if err := l.file.append(note); err != nil {
		return &fault.Error{Kind: fault.Unavailable, Msg: "calls cannot be recorded now", RetryAfter: retryAfter, Err: err}
	}
	l.size += int64(len(note))
	l.live[callKey{i.Trace, i.Span}] = note
	l.bytes += int64(len(note))
	return nil
}

// done forgets a call whose end is stored.
func (l *intentLog) done(trace, span string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := callKey{trace, span}
	l.bytes -= int64(len(l.live[k]))
	delete(l.live, k)
}

func (l *intentLog) inFlight() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.live)
}

// close leaves only the notes of calls that have not ended.
func (l *intentLog) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return nil
	}
	err := l.rewrite(0)
	_ = l.file.Close()
	l.file = nil
	return err
}
