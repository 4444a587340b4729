//go:build !torture

package otlp

// kills is how often TestKill kills the server; make torture does it more often.
const kills = 5
