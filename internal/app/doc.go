// Package app wires the parts of Weir into a running server: it opens the stores, registers providers and surfaces in
// explicit lists, starts services in the order calls flow, and stops them in reverse.
package app
