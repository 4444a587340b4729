module weir/test

go 1.26

// Packages of npm may hold Go code.
ignore (
	./agents/node_modules
	./node/node_modules
)
