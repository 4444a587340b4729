// Package arch holds no code: its tests keep the import graph of Weir the way ARCHITECTURE.md draws it.
package arch
