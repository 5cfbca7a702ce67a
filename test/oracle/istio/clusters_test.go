//go:build !istio130

package oracle

import (
	"math/rand/v2"
	"testing"

	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// [spec of a DestinationRule, subset or null, answer]. An answer: [algorithm, size of the hash table or null,
// [window ms, aggression or null, minimum percent or null] or null, outlier or null, pool]. Null inside: Envoy's default.
func TestClusters(t *testing.T) {
	random := seeded(5)
	cases := []any{}
	for range casesPerFunction {
		t.Run("", func(t *testing.T) { cases = append(cases, clusterCase(t, random)) })
	}
	write(t, "clusters", cases)
}

func clusterCase(t *testing.T, random *rand.Rand) []any {
	rule := object{"host": "web"}
	if !oneIn(random, 20) {
		rule["trafficPolicy"] = drawValidPolicy(random)
	}
	name, subset := webCluster, any(nil)
	if oneIn(random, 2) {
		own := object{"name": "v1", "labels": object{"version": "v1"}}
		if !oneIn(random, 4) {
			own["trafficPolicy"] = drawValidPolicy(random)
		}
		rule["subsets"] = []any{own}
		name, subset = "outbound|80|v1|web.default.svc.cluster.local", "v1"
	}
	m := newMesh(t, given{rule: rule})
	c := clusterNamed(t, m, sidecar(m, "eu/a", "node-1"), name)
	return []any{rule, subset, []any{c.LbPolicy.String(), tableSize(c), slowStart(c), outlier(c.OutlierDetection), pool(c)}}
}

func tableSize(c *cluster.Cluster) any {
	switch c.LbPolicy {
	case cluster.Cluster_RING_HASH:
		return number64(c.GetRingHashLbConfig().GetMinimumRingSize())
	case cluster.Cluster_MAGLEV:
		return number64(c.GetMaglevLbConfig().GetTableSize())
	}
	return nil
}

func slowStart(c *cluster.Cluster) any {
	config := c.GetRoundRobinLbConfig().GetSlowStartConfig()
	if config == nil {
		config = c.GetLeastRequestLbConfig().GetSlowStartConfig()
	}
	if config == nil {
		return nil
	}
	var aggression, least any
	if config.Aggression != nil {
		aggression = config.Aggression.DefaultValue
	}
	if config.MinWeightPercent != nil {
		least = config.MinWeightPercent.Value
	}
	return []any{milliseconds(config.SlowStartWindow), aggression, least}
}

// [consecutive 5xx, enforced, gateway errors, enforced, interval ms, base ejection ms, max ejection %, split 0/1, local
// failures].
func outlier(o *cluster.OutlierDetection) any {
	if o == nil {
		return nil
	}
	split := 0
	if o.SplitExternalLocalOriginErrors {
		split = 1
	}
	return []any{number(o.Consecutive_5Xx), number(o.EnforcingConsecutive_5Xx), number(o.ConsecutiveGatewayFailure),
		number(o.EnforcingConsecutiveGatewayFailure), milliseconds(o.Interval), milliseconds(o.BaseEjectionTime),
		number(o.MaxEjectionPercent), split, number(o.ConsecutiveLocalOriginFailure)}
}

// [connections, pending, requests, retries, connect ms, [budget %, least] or null].
func pool(c *cluster.Cluster) any {
	threshold := c.CircuitBreakers.Thresholds[0]
	var budget any
	if b := threshold.RetryBudget; b != nil {
		budget = []any{b.BudgetPercent.Value, number(b.MinRetryConcurrency)}
	}
	return []any{number(threshold.MaxConnections), number(threshold.MaxPendingRequests), number(threshold.MaxRequests),
		number(threshold.MaxRetries), milliseconds(c.ConnectTimeout), budget}
}

func number(value *wrapperspb.UInt32Value) any {
	if value == nil {
		return nil
	}
	return value.Value
}

func number64(value *wrapperspb.UInt64Value) any {
	if value == nil {
		return nil
	}
	return value.Value
}

func milliseconds(duration *durationpb.Duration) any {
	if duration == nil {
		return nil
	}
	return duration.AsDuration().Milliseconds()
}

func drawValidPolicy(random *rand.Rand) object {
	count := func() any { return pick[any](random, 0, 1, 5, 100, 2147483647) }
	length := func() any { return pick[any](random, "1s", "1.5s", "250ms", "1ms", "1h30m") }
	policy := object{}
	if !oneIn(random, 3) {
		fields := map[string]func() any{
			"consecutiveErrors": count, "consecutive5xxErrors": count, "consecutiveGatewayErrors": count, "interval": length, "baseEjectionTime": length,
			"maxEjectionPercent": func() any { return pick[any](random, 0, 1, 50, 100) },
			"minHealthPercent":   func() any { return pick[any](random, 0, 1, 50, 100) },
		}
		detection := some(random, 2, fields, "consecutiveErrors", "consecutive5xxErrors", "consecutiveGatewayErrors", "interval", "baseEjectionTime", "maxEjectionPercent", "minHealthPercent")
		if oneIn(random, 3) {
			detection["splitExternalLocalOriginErrors"] = true
			detection["consecutiveLocalOriginFailures"] = count()
		}
		policy["outlierDetection"] = detection
	}
	if !oneIn(random, 3) {
		policy["connectionPool"] = object{
			"tcp":  some(random, 2, map[string]func() any{"maxConnections": count, "connectTimeout": length}, "maxConnections", "connectTimeout"),
			"http": some(random, 2, map[string]func() any{"http1MaxPendingRequests": count, "http2MaxRequests": count, "maxRetries": count}, "http1MaxPendingRequests", "http2MaxRequests", "maxRetries"),
		}
	}
	if oneIn(random, 3) {
		fields := map[string]func() any{"percent": func() any { return pick[any](random, 0, 20, 33.5, 100) }, "minRetryConcurrency": count}
		policy["retryBudget"] = some(random, 2, fields, "percent", "minRetryConcurrency")
	}
	if !oneIn(random, 4) || len(policy) == 0 {
		policy["loadBalancer"] = drawValidBalancer(random)
	}
	return policy
}

func drawValidBalancer(random *rand.Rand) object {
	balancer := object{}
	switch random.IntN(3) {
	case 0:
		balancer["simple"] = pick(random, "LEAST_REQUEST", "ROUND_ROBIN", "RANDOM", "LEAST_CONN", "UNSPECIFIED")
	case 1:
		hash := object{"httpHeaderName": "user"}
		switch random.IntN(5) {
		case 0:
			hash["maglev"] = object{"tableSize": pick(random, 5, 65537)}
		case 1:
			hash["ringHash"] = object{}
		case 2:
			hash["ringHash"] = object{"minimumRingSize": pick(random, 0, 1, 1024, 4096)}
		case 3:
			hash["minimumRingSize"] = pick(random, 0, 1, 1024, 4096)
		}
		balancer["consistentHash"] = hash
	}
	if oneIn(random, 2) {
		warmup := object{"duration": pick(random, "1s", "1m30s")}
		if oneIn(random, 2) {
			warmup["aggression"] = pick[any](random, 1, 2.5)
		}
		if oneIn(random, 2) {
			warmup["minimumPercent"] = pick[any](random, 0, 50, 100)
		}
		balancer["warmup"] = warmup
	}
	if oneIn(random, 4) {
		balancer["warmupDurationSecs"] = "10s"
	}
	return balancer
}
