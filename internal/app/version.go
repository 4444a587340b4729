package app

import (
	"runtime/debug"
	"strings"
)

// version is set by the linker for releases: -X weir/internal/app.version=v1.2.3.
var version = "0.1.0-dev"

// Version is the version of this build, with the commit where the build knows it.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return version
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return version + "+" + strings.ToLower(s.Value[:12])
		}
	}
	return version
}
