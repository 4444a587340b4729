package config

import "github.com/goccy/go-yaml/ast"

func (im *liteLLM) litellmSettings(path string, n ast.Node) {
	r := &im.c.Routing
	var redact bool
	im.section(path, n, map[string]setter{
		"drop_params": into(im, &r.DropParams), "num_retries": into(im, &r.Retries), "request_timeout": into(im, &r.Deadline),
		"fallbacks": im.fallbacks(&r.Fallbacks), "context_window_fallbacks": im.fallbacks(&r.ContextFallbacks),
		"content_policy_fallbacks": im.fallbacks(&r.ContentFallbacks), "default_fallbacks": into(im, &r.DefaultFallbacks),
		"turn_off_message_logging": into(im, &redact),
		// What these switch on is how Weir always works.
		"modify_params": nil, "set_verbose": nil, "json_logs": nil, "redact_user_api_key_info": nil,
	})
	if redact {
		im.c.Recording.Bodies = false
	}
}

func (im *liteLLM) routerSettings(path string, n ast.Node) {
	r := &im.c.Routing
	var strategy string
	im.section(path, n, map[string]setter{
		"num_retries": into(im, &r.Retries), "timeout": into(im, &r.Deadline), "allowed_fails": into(im, &r.FailsToCool), "cooldown_time": into(im, &r.Cooldown),
		"fallbacks": im.fallbacks(&r.Fallbacks), "context_window_fallbacks": im.fallbacks(&r.ContextFallbacks),
		"content_policy_fallbacks": im.fallbacks(&r.ContentFallbacks), "default_fallbacks": into(im, &r.DefaultFallbacks),
		"model_group_alias": into(im, &r.Aliases), "routing_strategy": into(im, &strategy),
		"disable_cooldowns": func(path string, n ast.Node) {
			var off bool
			if into(im, &off)(path, n); off {
				r.Cooldown = 0
			}
		},
		"enable_pre_call_checks": nil, "set_verbose": nil,
	})
	// LiteLLM counts fails that are allowed; Weir counts the one that is too many.
	if child(n, "allowed_fails") != nil {
		r.FailsToCool++
	}
	if strategy != "" && strategy != "simple-shuffle" {
		im.warn(path+".routing_strategy", child(n, "routing_strategy"), "only simple-shuffle is supported; it is used instead of "+strategy)
	}
}

func (im *liteLLM) generalSettings(path string, n ast.Node) {
	var master string
	var noLogs bool
	im.section(path, n, map[string]setter{
		"master_key":                            into(im, &master),
		"disable_spend_logs":                    into(im, &noLogs),
		"store_prompts_in_spend_logs":           nil, // recording.bodies is on unless switched off
		"database_url":                          nil, // Weir brings its own stores
		"store_model_in_db":                     nil,
		"allow_requests_on_db_unavailable":      nil,
		"always_include_stream_usage":           nil,
		"proxy_batch_write_at":                  nil,
		"background_health_checks":              nil,
		"health_check_interval":                 nil,
		"database_connection_pool_limit":        nil,
		"maximum_spend_logs_retention_period":   im.retention,
		"maximum_spend_logs_retention_interval": nil,
	})
	if master != "" {
		im.c.Admin.MasterKey = Secret(master)
	}
	if noLogs {
		im.warn(path+".disable_spend_logs", child(n, "disable_spend_logs"), "calls are always recorded; bodies are left out instead")
		im.c.Recording.Bodies = false
	}
}

// retention reads "30d".
func (im *liteLLM) retention(path string, n ast.Node) {
	var s string
	into(im, &s)(path, n)
	days := 0
	for i, r := range s {
		if r == 'd' && i == len(s)-1 && days > 0 {
			im.c.Recording.RetentionDays = days
			return
		}
		if r < '0' || r > '9' || days > 1e5 {
			break
		}
		days = days*10 + int(r-'0')
	}
	im.warn(path, n, "only whole days such as 30d are supported")
}

// fallbacks reads [{"group": ["alternative"]}], LiteLLM's list of one-entry maps.
func (im *liteLLM) fallbacks(dst *map[string][]string) setter {
	return func(path string, n ast.Node) {
		var list []map[string][]string
		into(im, &list)(path, n)
		for _, m := range list {
			for group, alternatives := range m {
				if *dst == nil {
					*dst = map[string][]string{}
				}
				(*dst)[group] = alternatives
			}
		}
	}
}
