package app

import (
	"weir/internal/auth"
	"weir/internal/config"
	"weir/internal/money"
	"weir/internal/tenant"
)

// fileObjects are the teams and keys that the configuration defines.
func fileObjects(c *config.Config) auth.File {
	var f auth.File
	for _, t := range c.Teams {
		f.Teams = append(f.Teams, tenant.Team{
			ID: tenant.TeamID(t.ID), Alias: t.Alias, Models: t.Models, Budget: budgetOf(t.MaxBudgetUSD, t.BudgetPeriod),
		})
	}
	seen := map[string]bool{}
	for _, k := range c.Keys {
		secret := k.Key.Reveal()
		f.Keys = append(f.Keys, tenant.Key{
			ID: tenant.HashKey(secret), Name: tenant.DisplayName(secret), Alias: k.Alias, Team: tenant.TeamID(k.Team), User: tenant.UserID(k.User), Email: k.Email,
			Models: k.Models, Expires: k.Expires, Budget: budgetOf(k.MaxBudgetUSD, k.BudgetPeriod), RPM: k.RPM, TPM: k.TPM, Tags: k.Tags,
		})
		if k.User != "" && !seen[k.User] {
			seen[k.User] = true
			f.Users = append(f.Users, tenant.User{ID: tenant.UserID(k.User), Email: k.Email, Role: tenant.RoleMember})
		}
	}
	return f
}

func budgetOf(maxUSD *float64, period string) tenant.Budget {
	b := tenant.Budget{Period: period}
	if maxUSD != nil {
		n := money.FromUSD(*maxUSD)
		b.Max = &n
	}
	return b
}
