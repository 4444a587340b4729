package litellm_test

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"weir/internal/auth"
	"weir/internal/fault"
	"weir/internal/tenant"
)

// memory is as much of a store as management calls need; the store's own suite tests real ones.
type memory struct {
	auth.Store
	mu       sync.Mutex
	projects []tenant.Project
	users    map[tenant.UserID]tenant.User
	teams    map[tenant.TeamID]tenant.Team
	keys     map[tenant.KeyID]tenant.Key
}

func newMemory(projects ...tenant.Project) *memory {
	return &memory{
		projects: projects, users: map[tenant.UserID]tenant.User{}, teams: map[tenant.TeamID]tenant.Team{}, keys: map[tenant.KeyID]tenant.Key{},
	}
}

func put[K comparable, V any](m *memory, into map[K]V, k K, v V, mustExist bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := into[k]; ok != mustExist {
		return fault.New(map[bool]fault.Kind{true: fault.NotFound, false: fault.Conflict}[mustExist], "exists already, or does not")
	}
	into[k] = v
	return nil
}

func values[K comparable, V any](m *memory, of map[K]V) ([]V, string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Collect(maps.Values(of)), "", nil
}

func (m *memory) Orgs(context.Context, tenant.Page) ([]tenant.Org, string, error) {
	return []tenant.Org{{ID: tenant.DefaultOrg}}, "", nil
}

func (m *memory) Projects(context.Context, tenant.OrgID, tenant.Page) ([]tenant.Project, string, error) {
	return m.projects, "", nil
}

func (m *memory) Users(context.Context, tenant.UserFilter, tenant.Page) ([]tenant.User, string, error) {
	return values(m, m.users)
}

func (m *memory) Teams(context.Context, tenant.TeamFilter, tenant.Page) ([]tenant.Team, string, error) {
	return values(m, m.teams)
}

func (m *memory) Keys(context.Context, tenant.KeyFilter, tenant.Page) ([]tenant.Key, string, error) {
	return values(m, m.keys)
}

// Together takes nothing back.
func (m *memory) Together(_ context.Context, do func(tenant.Changes) error) error { return do(m) }

func (m *memory) CreateUser(_ context.Context, u tenant.User) error {
	return put(m, m.users, u.ID, u, false)
}

func (m *memory) CreateTeam(_ context.Context, t tenant.Team) error {
	return put(m, m.teams, t.ID, t, false)
}

func (m *memory) CreateKey(_ context.Context, k tenant.Key) error {
	return put(m, m.keys, k.ID, k, false)
}

func (m *memory) UpdateKey(_ context.Context, k tenant.Key) error {
	return put(m, m.keys, k.ID, k, true)
}

func (m *memory) DeleteKey(_ context.Context, _ tenant.ProjectID, id tenant.KeyID) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.keys, id)
	return nil
}

func (m *memory) Sessions(context.Context, time.Time) ([]auth.Session, error) { return nil, nil }
