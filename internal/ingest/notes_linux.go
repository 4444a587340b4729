package ingest

import (
	"errors"
	"os"
	"runtime/debug"

	"golang.org/x/sys/unix"
)

// mappedNotes is a file in memory, which costs no system call per note and survives a kill of the process just as well. Its
// blocks are allocated beforehand, since a full disk could not be reported. What follows the last note is zero, which the
// reader steps over.
type mappedNotes struct {
	file *os.File
	room []byte // mapped, and not written yet
	all  []byte
}

// mapNotes is nil where the file system cannot do it.
func mapNotes(f *os.File, size int) notes {
	fd := int(f.Fd())
	err := unix.Fallocate(fd, 0, 0, int64(size))
	var all []byte
	if err == nil {
		all, err = unix.Mmap(fd, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	}
	if err != nil {
		_ = f.Truncate(0)
		return nil
	}
	return &mappedNotes{file: f, room: all, all: all}
}

// append writes behind the mapped part what does not fit, and everything once the mapping has failed, as it does when
// somebody has cut the file.
func (n *mappedNotes) append(note []byte) error {
	if len(note) <= len(n.room) && n.copy(note) == nil {
		n.room = n.room[len(note):]
		return nil
	}
	n.room = nil
	_, err := n.file.Write(note)
	return err
}

var errFault = errors.New("ingest: the mapped file cannot be written")

func (n *mappedNotes) copy(note []byte) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if recover() != nil {
			err = errFault
		}
	}()
	copy(n.room, note)
	return nil
}

// Close implements io.Closer.
func (n *mappedNotes) Close() error {
	n.room = nil
	return errors.Join(unix.Munmap(n.all), n.file.Close())
}
