package app

import "weir/internal/surface/mcp"

// newMCP is the tools for agents; a.stores is nil where only routes are asked for.
func (a *App) newMCP() *mcp.Surface {
	d := mcp.Deps{Query: a.query.Engine, Bodies: a.query.bodies, Version: Version(), Log: a.log.For("edge")}
	if a.stores != nil {
		d.Scores = a.stores.truth
	}
	return mcp.New(d)
}
