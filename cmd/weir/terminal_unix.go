//go:build unix

package main

import "golang.org/x/sys/unix"

// terminalWidth is 0 where it is not known.
func terminalWidth(fd int) int {
	size, err := unix.IoctlGetWinsize(fd, unix.TIOCGWINSZ)
	if err != nil {
		return 0
	}
	return int(size.Col)
}
