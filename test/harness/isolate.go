package harness

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"unsafe"
)

// isolated is set in the environment of a process that runs inside its own namespaces.
const isolated = "WEIR_TEST_ISOLATED"

// Isolate runs the test binary again in network and process namespaces of its own, where only loopback exists and
// nothing outlives it, and returns the exit code of that run. ok is false inside the namespaces, and where the machine
// does not allow them: then the caller goes on by itself, and clients are kept at home by a dead proxy only.
func Isolate() (code int, ok bool) {
	if os.Getenv(isolated) != "" {
		if err := loopbackUp(); err != nil {
			fmt.Fprintln(os.Stderr, "harness: loopback:", err)
			return 1, true
		}
		return 0, false
	}
	args := []string{"--net", "--pid", "--fork", "--kill-child", "--mount-proc"}
	if os.Geteuid() != 0 {
		args = append([]string{"--map-root-user"}, args...)
	}
	if err := exec.Command("unshare", append(args, "true")...).Run(); err != nil {
		fmt.Fprintln(os.Stderr, "harness: no namespaces here, so clients are not cut off from the network:", err)
		return 0, false
	}
	self, err := os.Executable()
	if err != nil {
		return 0, false
	}
	cmd := exec.Command("unshare", append(append(args, self), os.Args[1:]...)...)
	cmd.Env = append(os.Environ(), isolated+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err = cmd.Run()
	if e, isExit := errors.AsType[*exec.ExitError](err); isExit {
		return max(e.ExitCode(), 1), true
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "harness:", err)
		return 1, true
	}
	return 0, true
}

// loopbackUp raises "lo", which is down in a fresh network namespace.
func loopbackUp() error {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer syscall.Close(fd)
	var req struct { // struct ifreq
		name  [16]byte
		flags uint16
		_     [22]byte
	}
	copy(req.name[:], "lo")
	req.flags = syscall.IFF_UP | syscall.IFF_RUNNING
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), syscall.SIOCSIFFLAGS, uintptr(unsafe.Pointer(&req))); errno != 0 {
		return errno
	}
	return nil
}
