package oracle

import (
	"math/rand/v2"
	"testing"
)

// [spec of a DestinationRule, null where it is taken or who refuses it].
func TestDestinationRules(t *testing.T) {
	random := seeded(1)
	apply := newKubectl(t)
	cases := []any{}
	for range casesPerFunction {
		spec := drawRule(random)
		cases = append(cases, []any{spec, apply.apply(t, "DestinationRule", spec)})
	}
	write(t, "destination-rules", cases)
}

// The same, about nothing but localities.
func TestLocalitySettings(t *testing.T) {
	random := seeded(2)
	apply := newKubectl(t)
	cases := []any{}
	for range casesPerFunction {
		policy := object{"loadBalancer": object{"localityLbSetting": drawLocalitySetting(random)}}
		if oneIn(random, 2) {
			policy["outlierDetection"] = object{}
		}
		spec := object{"host": "web", "trafficPolicy": policy}
		cases = append(cases, []any{spec, apply.apply(t, "DestinationRule", spec)})
	}
	write(t, "locality-settings", cases)
}

func drawRule(random *rand.Rand) object {
	spec := object{"host": pick(random, "web", "web.default", "web.default.svc.cluster.local")}
	if !oneIn(random, 12) {
		spec["trafficPolicy"] = drawTrafficPolicy(random)
	}
	if oneIn(random, 5) {
		subsets := []any{}
		for range 1 + random.IntN(3) {
			subsets = append(subsets, drawSubset(random))
		}
		spec["subsets"] = subsets
	}
	return spec
}

func drawSubset(random *rand.Rand) object {
	subset := object{"name": pick[any](random, "v1", "v2", "v3", "v4", "canary-2", odd[any](random, "v1", "", "V1", "a.b", "-a"))}
	if oneIn(random, 2) {
		subset["labels"] = object{"version": pick[any](random, "v1", "v2", odd[any](random, "v1", "", "two words", "a/b", 1))}
	}
	if oneIn(random, 4) {
		subset["trafficPolicy"] = drawTrafficPolicy(random)
	}
	return subset
}

// Usually the first, seldom one of the odd ones: a case is to have one thing wrong at most times.
func odd[T any](random *rand.Rand, usual T, others ...T) T {
	if oneIn(random, 8) {
		return others[random.IntN(len(others))]
	}
	return usual
}

// Each field is set or not; few at a time, as one refused field hides what becomes of the others.
func some(random *rand.Rand, chance int, fields map[string]func() any, order ...string) object {
	out := object{}
	for _, name := range order {
		if oneIn(random, chance) {
			out[name] = fields[name]()
		}
	}
	return out
}

func drawTrafficPolicy(random *rand.Rand) object {
	if oneIn(random, 25) {
		return object{}
	}
	fields := map[string]func() any{
		"loadBalancer":     func() any { return drawLoadBalancer(random) },
		"outlierDetection": func() any { return drawOutlier(random) },
		"connectionPool":   func() any { return drawPool(random) },
		"retryBudget":      func() any { return drawBudget(random) },
	}
	policy := some(random, 3, fields, "loadBalancer", "outlierDetection", "connectionPool", "retryBudget")
	if len(policy) == 0 {
		policy["loadBalancer"] = drawLoadBalancer(random)
	}
	return policy
}

func drawDuration(random *rand.Rand) any {
	good := pick[any](random, "1s", "10s", "1.5s", "250ms", "1ms", "1m", "1h30m", "3600s", "0.001s", "60s", "+1s", ".5s", "1.s", "1000us")
	return odd[any](random, good, "0s", "0.5ms", "1500us", "1.0005s", "999us", "-1s", "10", "abc", "", "1d", 5, "1s ", "0", "0.0000001h", "1m0.0005s", "9999999h")
}

func drawCount(random *rand.Rand) any {
	return odd[any](random, pick[any](random, 0, 1, 5, 10, 100, 1024, 2147483647), -1, 2147483648, 4294967295, 4294967296, 1.5, "5", nil)
}

func drawPercent(random *rand.Rand) any {
	return odd[any](random, pick[any](random, 0, 1, 10, 50, 100), -1, 101, 0.5, 99.9, "10", 2147483648, nil)
}

func drawOutlier(random *rand.Rand) any {
	if oneIn(random, 30) {
		return odd[any](random, object{}, nil, []any{}, "on")
	}
	fields := map[string]func() any{
		"consecutiveErrors":              func() any { return drawCount(random) },
		"consecutive5xxErrors":           func() any { return drawCount(random) },
		"consecutiveGatewayErrors":       func() any { return drawCount(random) },
		"consecutiveLocalOriginFailures": func() any { return drawCount(random) },
		"splitExternalLocalOriginErrors": func() any { return odd[any](random, pick[any](random, true, false), "true", nil) },
		"interval":                       func() any { return drawDuration(random) },
		"baseEjectionTime":               func() any { return drawDuration(random) },
		"maxEjectionPercent":             func() any { return drawPercent(random) },
		"minHealthPercent":               func() any { return drawPercent(random) },
	}
	return some(random, 4, fields, "consecutiveErrors", "consecutive5xxErrors", "consecutiveGatewayErrors",
		"consecutiveLocalOriginFailures", "splitExternalLocalOriginErrors", "interval", "baseEjectionTime",
		"maxEjectionPercent", "minHealthPercent")
}

func drawPool(random *rand.Rand) any {
	if oneIn(random, 12) {
		return pick[any](random, object{}, object{"tcp": object{}}, object{"http": object{}}, object{"udp": object{}}, object{"tcp": nil})
	}
	tcp := map[string]func() any{
		"maxConnections":        func() any { return drawCount(random) },
		"connectTimeout":        func() any { return drawDuration(random) },
		"maxConnectionDuration": func() any { return drawDuration(random) },
		"idleTimeout":           func() any { return drawDuration(random) },
		"tcpKeepalive": func() any {
			fields := map[string]func() any{
				"probes":   func() any { return drawCount(random) },
				"time":     func() any { return drawDuration(random) },
				"interval": func() any { return drawDuration(random) },
			}
			return some(random, 2, fields, "probes", "time", "interval")
		},
	}
	http := map[string]func() any{
		"http1MaxPendingRequests":  func() any { return drawCount(random) },
		"http2MaxRequests":         func() any { return drawCount(random) },
		"maxRetries":               func() any { return drawCount(random) },
		"maxRequestsPerConnection": func() any { return drawCount(random) },
		"idleTimeout":              func() any { return drawDuration(random) },
		"maxConcurrentStreams":     func() any { return drawCount(random) },
		"useClientProtocol":        func() any { return odd[any](random, pick[any](random, true, false), "yes") },
		"h2UpgradePolicy": func() any {
			return odd[any](random, pick[any](random, "DEFAULT", "DO_NOT_UPGRADE", "UPGRADE"), "NEVER", 1)
		},
	}
	pool := object{}
	if !oneIn(random, 3) {
		pool["tcp"] = some(random, 3, tcp, "maxConnections", "connectTimeout", "maxConnectionDuration", "idleTimeout", "tcpKeepalive")
	}
	if !oneIn(random, 3) {
		pool["http"] = some(random, 5, http, "http1MaxPendingRequests", "http2MaxRequests", "maxRetries",
			"maxRequestsPerConnection", "idleTimeout", "maxConcurrentStreams", "useClientProtocol", "h2UpgradePolicy")
	}
	return pool
}

func drawBudget(random *rand.Rand) any {
	fields := map[string]func() any{
		"percent":             func() any { return odd[any](random, pick[any](random, 0, 20, 33.3, 100), -1, 100.5, "20", nil) },
		"minRetryConcurrency": func() any { return drawCount(random) },
		"budgetInterval":      func() any { return drawDuration(random) },
	}
	return some(random, 2, fields, "percent", "minRetryConcurrency", "budgetInterval")
}
