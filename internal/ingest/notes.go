package ingest

import (
	"os"
)

// notes is a file to which notes are appended. One that was appended survives a kill of the process.
type notes interface {
	append(note []byte) error
	Close() error
}

// plainNotes is written to by system calls. It is whole after a failed write: the reader would step over a torn note, so
// taking it back only saves space.
type plainNotes struct {
	*os.File
	size int64
}

func (n *plainNotes) append(note []byte) error {
	if _, err := n.Write(note); err != nil {
		_ = n.Truncate(n.size)
		return err
	}
	n.size += int64(len(note))
	return nil
}

// createNotes makes a file that begins with first. room is how much it is expected to hold, 0 that it is to be as short as
// possible.
func createNotes(path string, first []byte, room int) (notes, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_TRUNC|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	var n notes = &plainNotes{File: f}
	if room > 0 {
		if m := mapNotes(f, max(room, len(first))); m != nil {
			n = m
		}
	}
	if err := n.append(first); err != nil {
		_ = n.Close()
		return nil, err
	}
	return n, nil
}
