// Package harness runs the built programs for black-box tests: weir, the fake upstream, and the clients between them.
// Everything a test starts ends with the test, and every failure shows the end of the server's log.
package harness
