//go:build !unix

package main

// terminalWidth is not known here: lines are not cut.
func terminalWidth(int) int { return 0 }
