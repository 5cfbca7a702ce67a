//go:build !istio130

package oracle

import (
	"fmt"
	"math/rand/v2"
	"testing"

	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	endpoint "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"

	"istio.io/istio/pilot/pkg/model"
	"istio.io/istio/pilot/pkg/networking/util"
	topology "istio.io/istio/pilot/pkg/serviceregistry/util/label"
	"istio.io/istio/pilot/pkg/xds/endpoints"
)

// [zone of the caller, its node, trafficPolicy or null, setting of the mesh or null, trafficDistribution or null,
// [[zone, node, ready 0/1]...], answer]. An answer: [weighted by locality 0/1, panic threshold or null, algorithm,
// [[zone, priority, weight, [endpoint...]]...]], with the endpoints by their place, as the sidecar is told them.
func TestLocality(t *testing.T) {
	random := seeded(4)
	cases := []any{}
	for range casesPerFunction {
		t.Run("", func(t *testing.T) { cases = append(cases, localityCase(t, random, inZones)) })
	}
	write(t, "locality", cases)
}

// The same with subzones: zone is region/zone/subzone, or region/zone where a node has none.
func TestSubzones(t *testing.T) {
	random := seeded(8)
	cases := []any{}
	for range casesPerFunction {
		t.Run("", func(t *testing.T) { cases = append(cases, localityCase(t, random, inSubzones)) })
	}
	write(t, "subzones", cases)
}

// What cases are drawn from.
type draws struct {
	zones  []string
	froms  []any
	shares []object
	// Of trafficDistribution.
	words []string
}

var inZones = draws{
	zones: []string{"eu/a", "eu/b", "eu/c", "us/a", "us/b", "ap/a"},
	froms: []any{"eu/a", "eu/a/*", "us/a", "eu/b/*"},
	shares: []object{{"eu/a": 80, "eu/b": 20}, {"eu/a/*": 100}, {"eu/*": 70, "us/*": 30}, {"eu": 50, "us/a": 49, "ap/*": 1},
		{"*": 100}, {"us": 100}, {"eu/a": 33, "eu/b": 33, "eu/c": 34}, {"ap/x": 10, "eu": 90}},
	words: []string{"PreferClose"},
}

var inSubzones = draws{
	zones: []string{"eu/a/s1", "eu/a/s2", "eu/a", "eu/b/s1", "eu/b/s3", "us/a/s1"},
	froms: []any{"eu/a/s1", "eu/a/s2", "eu/b/s1", "eu/b/*"},
	shares: []object{{"eu/a/s1": 80, "eu/a/s2": 20}, {"eu/a/*": 60, "eu/b/s1": 40}, {"eu/*": 70, "us/*": 30}, {"eu/b/s3": 50, "us/a/s1": 49, "eu/a": 1},
		{"eu/a/s1": 33, "eu/a/s2": 33, "eu/b/s1": 34}, {"us": 100}, {"eu/a/s9": 10, "eu/b": 90}},
	words: []string{"PreferClose", "PreferSameNode"},
}

var distributions = map[string]model.TrafficDistribution{
	"PreferClose":    model.TrafficDistributionPreferSameZone,
	"PreferSameNode": model.TrafficDistributionPreferSameNode,
}

func localityCase(t *testing.T, random *rand.Rand, from draws) []any {
	zone, node := pick(random, from.zones...), pick(random, "node-1", "node-2")
	g := given{}
	var policy, locality, distribution any
	if !oneIn(random, 8) {
		drawn := drawRouting(random, from)
		policy, g.rule = drawn, object{"host": "web", "trafficPolicy": drawn}
	}
	if oneIn(random, 4) {
		g.locality = drawValidSetting(random, from)
		locality = g.locality
	}
	if oneIn(random, 4) {
		word := from.words[0]
		if len(from.words) > 1 {
			word = pick(random, from.words...)
		}
		g.distribution, distribution = distributions[word], word
	}
	istioEndpoints, known := drawEndpoints(random, from.zones)
	m := newMesh(t, g)
	proxy := sidecar(m, zone, node)
	index := model.NewEndpointIndex(model.DisabledCache{})
	index.UpdateServiceEndpoints(model.ShardKey{Cluster: "one"}, string(webHost), "default", istioEndpoints, false)
	builder := endpoints.NewEndpointBuilder(webCluster, proxy, m.PushContext())
	assignment := builder.BuildClusterLoadAssignment(index)
	answer := balancing(clusterNamed(t, m, proxy, webCluster))
	return []any{zone, node, policy, locality, distribution, known, append(answer, groups(t, assignment))}
}

func drawEndpoints(random *rand.Rand, zones []string) ([]*model.IstioEndpoint, []any) {
	found, known := []*model.IstioEndpoint{}, []any{}
	in := zones[:2+random.IntN(len(zones)-1)]
	for i := range random.IntN(14) {
		zone, node, health := pick(random, in...), pick(random, "node-1", "node-2", "node-3"), pick(random, model.Healthy, model.Healthy, model.Healthy, model.UnHealthy)
		ready := 1
		if health != model.Healthy {
			ready = 0
		}
		known = append(known, []any{zone, node, ready})
		found = append(found, &model.IstioEndpoint{
			Addresses:       []string{fmt.Sprintf("10.1.0.%d", i)},
			EndpointPort:    80,
			ServicePortName: "http",
			Namespace:       "default",
			HealthStatus:    health,
			Locality:        model.Locality{Label: zone},
			Labels:          topology.AugmentLabels(map[string]string{"app": "web"}, "", zone, node, ""),
		})
	}
	return found, known
}

func balancing(c *cluster.Cluster) []any {
	weighted := 0
	if c.CommonLbConfig.GetLocalityWeightedLbConfig() != nil {
		weighted = 1
	}
	var panicThreshold any
	if threshold := c.CommonLbConfig.GetHealthyPanicThreshold(); threshold != nil {
		panicThreshold = threshold.Value
	}
	return []any{weighted, panicThreshold, c.LbPolicy.String()}
}

// Groups that have lost all their endpoints are left out.
func groups(t *testing.T, assignment *endpoint.ClusterLoadAssignment) []any {
	out := []any{}
	for _, group := range assignment.Endpoints {
		members := []int{}
		for _, member := range group.LbEndpoints {
			address := member.GetEndpoint().GetAddress().GetSocketAddress().GetAddress()
			var index int
			if _, err := fmt.Sscanf(address, "10.1.0.%d", &index); err != nil {
				t.Fatal(err)
			}
			members = append(members, index)
		}
		if len(members) > 0 {
			out = append(out, []any{util.LocalityToString(group.Locality), group.Priority, group.LoadBalancingWeight.GetValue(), members})
		}
	}
	return out
}

// Only what the webhook takes: the mesh is made of it.
func drawRouting(random *rand.Rand, from draws) object {
	balancer, policy := object{}, object{}
	if oneIn(random, 3) {
		balancer["simple"] = pick(random, "LEAST_REQUEST", "ROUND_ROBIN", "RANDOM", "LEAST_CONN", "UNSPECIFIED")
	} else if oneIn(random, 5) {
		balancer["consistentHash"] = pick[any](random, object{"httpHeaderName": "user"}, object{"useSourceIp": true, "maglev": object{"tableSize": 5}},
			object{"httpHeaderName": "user", "ringHash": object{"minimumRingSize": 10}})
	}
	if !oneIn(random, 3) {
		balancer["localityLbSetting"] = drawValidSetting(random, from)
	}
	if !oneIn(random, 4) {
		policy["outlierDetection"] = pick(random, object{}, object{}, object{"minHealthPercent": 0}, object{"minHealthPercent": 30}, object{"minHealthPercent": 60})
	}
	policy["loadBalancer"] = balancer
	return policy
}

func drawValidSetting(random *rand.Rand, from draws) object {
	setting := object{}
	if oneIn(random, 4) {
		setting["enabled"] = pick(random, true, false)
	}
	switch random.IntN(6) {
	case 0, 1:
		setting["distribute"] = []any{
			object{"from": pick(random, from.froms...), "to": pick(random, from.shares...)},
			object{"from": pick(random, "eu/*", "*", "ap", "ap/*"), "to": pick(random, from.shares...)},
		}
	case 2:
		setting["failover"] = []any{object{"from": "eu", "to": pick(random, "us", "ap")}, object{"from": "us", "to": pick(random, "eu", "ap")}}
	case 3, 4:
		setting["failoverPriority"] = drawPriorities(random, "topology.kubernetes.io/region", "topology.kubernetes.io/zone", "kubernetes.io/hostname",
			"topology.istio.io/network", "topology.istio.io/cluster", "topology.istio.io/subzone", "topology.kubernetes.io/region=us",
			"topology.istio.io/network=net", "topology.kubernetes.io/zone=a", "kubernetes.io/hostname=node-3", "topology.kubernetes.io/zone=a=b", "version", "version=v1")
		if oneIn(random, 3) {
			setting["failoverPriority"] = drawPriorities(random, "kubernetes.io/hostname", "topology.istio.io/network", "topology.kubernetes.io/region=us")
			setting["failover"] = []any{object{"from": "eu", "to": "ap"}}
		}
	}
	return setting
}

func drawPriorities(random *rand.Rand, labels ...string) []any {
	out := []any{}
	for range 1 + random.IntN(4) {
		out = append(out, pick(random, labels...))
	}
	return out
}
