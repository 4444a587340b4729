//go:build torture

package otlp

const kills = 50
