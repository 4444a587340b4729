package auth

import (
	"context"
	"slices"

	"weir/internal/audit"
	"weir/internal/clip"
	"weir/internal/fault"
	"weir/internal/tenant"
)

// note records what was done, unless it failed.
func (s *Service) note(ctx context.Context, who *tenant.Identity, err error, action, target string, detail map[string]any) {
	if s.Audit != nil && err == nil {
		s.Audit.Record(ctx, audit.Event{Who: who, Action: action, Target: target, Detail: detail})
	}
}

// noteLogin records who came in.
func (s *Service) noteLogin(ctx context.Context, who *tenant.Identity, ip, action string) {
	if s.Audit == nil {
		return
	}
	in := *who
	in.Means = tenant.BySession
	s.Audit.Record(ctx, audit.Event{Who: &in, Action: action, Target: string(in.User), IP: ip})
}

// noteRefusal records a login that failed. A name that is no user's may be a password in the wrong field: it is not kept.
// Guesses beyond the throttle are not recorded one by one.
func (s *Service) noteRefusal(ctx context.Context, e *userEntry, ip string) {
	if s.Audit == nil {
		return
	}
	v := audit.Event{Action: "login.failed", Target: "unknown user", IP: ip, Project: tenant.DefaultProject}
	if e != nil {
		v.Target = string(e.user.ID)
	}
	s.Audit.Record(ctx, v)
}

// keyFacts is what the log says of a key; the id is the hash of its secret, so only its beginning is shown.
func keyFacts(k *tenant.Key) map[string]any {
	m := map[string]any{"name": k.Name}
	for name, v := range map[string]string{"alias": k.Alias, "user": string(k.User), "team": string(k.Team)} {
		if v != "" {
			m[name] = v
		}
	}
	return m
}

func shortKey(id tenant.KeyID) string { return string(id[:min(len(id), 12)]) }

// changed names the fields of a key that differ, without their values.
func changed(was, is *tenant.Key) []string {
	var out []string
	add := func(name string, differs bool) {
		if differs {
			out = append(out, name)
		}
	}
	add("alias", was.Alias != is.Alias)
	add("team", was.Team != is.Team)
	add("user", was.User != is.User || was.Email != is.Email)
	add("models", !slices.Equal(was.Models, is.Models))
	add("expires", !was.Expires.Equal(is.Expires))
	add("budget", was.Budget.Period != is.Budget.Period || !sameNano(was.Budget.Max, is.Budget.Max) || !sameNano(was.Budget.Soft, is.Budget.Soft))
	add("limits", was.RPM != is.RPM || was.TPM != is.TPM)
	add("tags", !slices.Equal(was.Tags, is.Tags))
	add("metadata", string(was.Metadata) != string(is.Metadata))
	return out
}

func sameNano[T comparable](a, b *T) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

// noteChange records a change of a key; one that only blocks is named so.
func (s *Service) noteChange(ctx context.Context, who *tenant.Identity, was, is *tenant.Key) {
	facts := keyFacts(is)
	if was.Blocked != is.Blocked {
		s.note(ctx, who, nil, map[bool]string{true: "key.block", false: "key.unblock"}[is.Blocked], shortKey(is.ID), facts)
	}
	if fields := changed(was, is); len(fields) > 0 {
		facts["changed"] = fields
		s.note(ctx, who, nil, "key.update", shortKey(is.ID), facts)
	}
}

// SetRetention sets how many days the caller's project keeps traces; 0 = as the configuration says, -1 = for ever.
func (s *Service) SetRetention(ctx context.Context, who *tenant.Identity, days int) error {
	if err := adminOnly(who); err != nil {
		return err
	}
	return s.changeDirectory(ctx, func() error {
		p, ok := s.snap.Load().projects[who.Project]
		if !ok {
			return fault.New(fault.NotFound, "project %q does not exist", clip.To(string(who.Project), 100))
		}
		p.RetentionDays = days
		return s.Store.UpdateProject(ctx, p)
	})
}

// RetentionDays is that setting.
func (s *Service) RetentionDays(who *tenant.Identity) (int, error) {
	p, ok := s.snap.Load().projects[who.Project]
	if !ok {
		return 0, fault.New(fault.NotFound, "project %q does not exist", clip.To(string(who.Project), 100))
	}
	return p.RetentionDays, nil
}
