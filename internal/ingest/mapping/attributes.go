package mapping

import (
	"strconv"

	"weir/internal/jsonx"
)

func itoa(n int) string { return strconv.Itoa(n) }

// attributes writes the span's attributes, with markers for those that became bodies.
func (m *mapper) attributes() jsonx.Raw {
	own := m.raw.Attributes
	if len(own) == 0 {
		return nil
	}
	size := 2
	for i := range own {
		if m.fates[i] == kept {
			size += len(own[i].Key) + 24
			if s, ok := own[i].Value.(string); ok {
				size += len(s) + len(s)/8
			}
		}
	}
	dst := append(make([]byte, 0, size+64*len(m.markers)), '{')
	for i := range own {
		if m.fates[i] == kept {
			dst = separate(dst)
			dst = appendValue(append(appendString(dst, own[i].Key), ':'), own[i].Value, 0)
		}
	}
	for _, k := range m.markers {
		if k.index >= len(own) {
			continue // an event's
		}
		dst = append(appendString(separate(dst), k.key), ':')
		dst = k.append(dst)
	}
	return append(dst, '}')
}

func separate(dst []byte) []byte {
	if dst[len(dst)-1] != '{' {
		return append(dst, ',')
	}
	return dst
}

func (k marker) append(dst []byte) []byte {
	if k.output {
		dst = append(dst, `{"$body":"output"`...)
	} else {
		dst = append(dst, `{"$body":"input"`...)
	}
	if k.at != "" {
		dst = appendString(append(dst, `,"at":`...), k.at)
	}
	if k.as != "" {
		dst = appendString(append(dst, `,"as":`...), k.as)
	}
	return append(dst, '}')
}
