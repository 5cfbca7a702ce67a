package oracle

import (
	"math/rand/v2"
)

func drawLoadBalancer(random *rand.Rand) any {
	if oneIn(random, 30) {
		return object{}
	}
	fields := map[string]func() any{
		"simple": func() any {
			known := pick[any](random, "LEAST_REQUEST", "ROUND_ROBIN", "RANDOM", "LEAST_CONN", "PASSTHROUGH", "UNSPECIFIED")
			return odd[any](random, known, "least_request", "RING_HASH", "", 1, nil)
		},
		"warmupDurationSecs": func() any { return drawDuration(random) },
		"warmup":             func() any { return drawWarmUp(random) },
		"localityLbSetting":  func() any { return drawLocalitySetting(random) },
		"consistentHash":     func() any { return drawHash(random) },
	}
	balancer := some(random, 3, fields, "warmupDurationSecs", "warmup", "localityLbSetting", "localityLbSetting")
	kind := pick(random, "", "simple", "simple", "consistentHash", "consistentHash")
	if kind != "" {
		balancer[kind] = fields[kind]()
	}
	if oneIn(random, 15) {
		balancer["simple"] = "RANDOM"
	}
	if oneIn(random, 15) {
		balancer["zoneAwareLbSetting"] = object{"enabled": true}
	}
	return balancer
}

func drawWarmUp(random *rand.Rand) any {
	fields := map[string]func() any{
		"minimumPercent": func() any { return drawPercent(random) },
		"aggression": func() any {
			return odd[any](random, pick[any](random, 1, 1.5, 2, 10), 0, 0.5, 0.999, -1, "1", nil)
		},
	}
	warmup := some(random, 2, fields, "minimumPercent", "aggression")
	if !oneIn(random, 15) {
		warmup["duration"] = drawDuration(random)
	}
	return warmup
}

func drawHash(random *rand.Rand) any {
	fields := map[string]func() any{
		"httpHeaderName":         func() any { return odd[any](random, "x-user", "", 1) },
		"httpQueryParameterName": func() any { return odd[any](random, "user", "", true) },
		"useSourceIp":            func() any { return odd[any](random, pick[any](random, true, false), "true") },
		"httpCookie":             func() any { return drawCookie(random) },
		"minimumRingSize":        func() any { return drawSize(random) },
		"ringHash": func() any {
			return odd[any](random, object{"minimumRingSize": drawSize(random)}, object{}, object{"maximumRingSize": 1})
		},
		"maglev": func() any {
			return odd[any](random, object{"tableSize": drawTable(random)}, object{}, object{"size": 3})
		},
	}
	hash := object{}
	key := pick(random, "httpHeaderName", "httpQueryParameterName", "useSourceIp", "httpCookie")
	if !oneIn(random, 10) {
		hash[key] = fields[key]()
	}
	if oneIn(random, 15) {
		hash["useSourceIp"] = true
	}
	table := pick(random, "", "", "minimumRingSize", "ringHash", "ringHash", "maglev", "maglev")
	if table != "" {
		hash[table] = fields[table]()
	}
	if oneIn(random, 20) {
		hash["minimumRingSize"] = drawSize(random)
	}
	return hash
}

func drawCookie(random *rand.Rand) any {
	fields := map[string]func() any{
		"path": func() any { return "/" },
		"ttl":  func() any { return drawDuration(random) },
		"attributes": func() any {
			return odd[any](random, []any{object{"name": "SameSite", "value": "Strict"}},
				[]any{object{"name": "a", "value": "1"}, object{"name": "a", "value": "2"}}, []any{object{"name": ""}}, []any{object{"value": "1"}}, []any{})
		},
		"domain": func() any { return "example.com" },
	}
	cookie := some(random, 2, fields, "path", "ttl", "attributes")
	if oneIn(random, 25) {
		cookie["domain"] = "example.com"
	}
	if !oneIn(random, 15) {
		cookie["name"] = odd[any](random, "user", "", 1)
	}
	return cookie
}

func drawSize(random *rand.Rand) any {
	return odd[any](random, pick[any](random, 0, 1, 1024, 8388608), -1, 8388609, 1.5, "1024")
}

func drawTable(random *rand.Rand) any {
	return odd[any](random, pick[any](random, 65537, 5, 3, 2, 1021, 4999999), 0, 1, 4, 9, 5000011, 5000081, 65536, -3, 1.5)
}

func drawLocalitySetting(random *rand.Rand) any {
	setting := object{}
	if oneIn(random, 4) {
		setting["enabled"] = odd[any](random, pick[any](random, true, false), "true", nil)
	}
	kind := random.IntN(8)
	if kind <= 3 {
		setting["distribute"] = drawDistribute(random)
	}
	if kind == 4 || kind == 5 || oneIn(random, 20) {
		setting["failover"] = drawFailover(random)
	}
	if kind >= 5 && kind <= 6 {
		setting["failoverPriority"] = drawLabels(random)
	}
	if oneIn(random, 40) {
		setting["distribution"] = []any{}
	}
	return setting
}

func drawDistribute(random *rand.Rand) any {
	if oneIn(random, 20) {
		return pick[any](random, []any{}, object{}, nil, []any{object{"from": "eu/a"}}, []any{object{"to": object{"*": 100}}})
	}
	entries := []any{}
	for range 1 + random.IntN(3) {
		entries = append(entries, object{"from": drawLocality(random), "to": drawWeights(random)})
	}
	return entries
}

func drawWeights(random *rand.Rand) object {
	parts := pick(random, []int{100}, []int{80, 20}, []int{80, 20}, []int{50, 49, 1}, []int{1, 99}, []int{34, 33, 33})
	weights, used := object{}, 0
	for _, part := range parts {
		locality := drawLocality(random)
		if _, taken := weights[locality]; !taken {
			weights[locality] = part
			used += part
		}
	}
	// What fell on one key twice is given to the last, mostly.
	for locality, weight := range weights {
		if used < 100 && len(weights) == 1 {
			weights[locality] = weight.(int) + 100 - used
		}
	}
	if oneIn(random, 12) {
		weights[drawLocality(random)] = pick[any](random, 0, 1, -1, 101, 50, 0.5, "20")
	}
	return weights
}

func drawLocality(random *rand.Rand) string {
	usual := pick(random, "eu/a", "eu/b", "eu/c", "us/a", "us/b", "eu/a/*", "eu/b/*", "us/a/*", "eu/a/x", "eu/b/x", "us/*", "us")
	return odd(random, usual, "*", "eu/*", "eu", "eu/*/*", "*/a", "eu//x", "/a", "", "eu/", "eu/a/x/y", "e*", "eu/a*", "**", "eu/*/x", "eu/a/")
}

func drawFailover(random *rand.Rand) any {
	entries := []any{}
	for range 1 + random.IntN(2) {
		from := odd[any](random, pick[any](random, "eu", "us"), "eu/a", "*", "", "e*", 1)
		to := odd[any](random, pick[any](random, "us", "ap", "ap"), "us/a", "*", "", "eu")
		entry := object{"from": from, "to": to}
		if oneIn(random, 20) {
			delete(entry, pick(random, "from", "to"))
		}
		if oneIn(random, 30) {
			entry["weight"] = 1
		}
		entries = append(entries, entry)
	}
	return entries
}

func drawLabels(random *rand.Rand) any {
	labels := []any{}
	for range random.IntN(4) {
		usual := pick[any](random, "topology.kubernetes.io/region", "topology.kubernetes.io/zone", "kubernetes.io/hostname",
			"topology.istio.io/network", "topology.istio.io/cluster", "topology.istio.io/subzone", "topology.istio.io/network=net-1",
			"topology.kubernetes.io/zone=a")
		labels = append(labels, odd[any](random, usual, "", "=", 1, "a=b=c", "topology.kubernetes.io/region=eu"))
	}
	return labels
}
