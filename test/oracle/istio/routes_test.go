//go:build !istio130

package oracle

import (
	"math/rand/v2"
	"slices"
	"testing"

	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	fault "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/fault/v3"
	envoytype "github.com/envoyproxy/go-control-plane/envoy/type/v3"

	"istio.io/istio/pkg/wellknown"
)

// [spec of a VirtualService or null, [route...]]: the routes of web for a caller whose app is frontend, in order.
// A route: [[kind of path match, text, case matters 0/1], [[cluster, weight]...], time-out ms, retries or null, fault or
// null, mirror or null]. Retries: [attempts, retryOn, [status...], per try ms or null, back-off ms or null, avoids tried
// hosts 0/1]. A fault: [delay millionths, delay ms, abort millionths, status], -1 for none. A mirror: [cluster, millionths].
func TestRoutes(t *testing.T) {
	random := seeded(6)
	cases := []any{}
	for range casesPerFunction {
		t.Run("", func(t *testing.T) { cases = append(cases, routesCase(t, random)) })
	}
	write(t, "routes", cases)
}

func routesCase(t *testing.T, random *rand.Rand) []any {
	var spec object
	var known any
	if !oneIn(random, 20) {
		spec = object{"hosts": []any{"web"}, "http": drawValidRoutes(random)}
		known = spec
	}
	m := newMesh(t, given{virtualService: spec})
	out := []any{}
	for _, config := range m.Routes(sidecar(m, "eu/a", "node-1")) {
		for _, host := range config.VirtualHosts {
			if config.Name == "80" && slices.Contains(host.Domains, string(webHost)) {
				for _, one := range host.Routes {
					out = append(out, routeOf(t, one))
				}
			}
		}
	}
	if len(out) == 0 && spec == nil {
		t.Fatal("no default route")
	}
	return []any{known, out}
}

func routeOf(t *testing.T, one *route.Route) any {
	action := one.GetRoute()
	destinations := []any{}
	if name := action.GetCluster(); name != "" {
		destinations = append(destinations, []any{name, 1})
	}
	for _, weighted := range action.GetWeightedClusters().GetClusters() {
		destinations = append(destinations, []any{weighted.Name, weighted.Weight.GetValue()})
	}
	return []any{pathOf(one.Match), destinations, milliseconds(action.Timeout), retriesOf(action.RetryPolicy), faultOf(t, one), mirrorOf(action)}
}

func pathOf(match *route.RouteMatch) any {
	sensitive := 1
	if match.CaseSensitive != nil && !match.CaseSensitive.Value {
		sensitive = 0
	}
	switch path := match.PathSpecifier.(type) {
	case *route.RouteMatch_Prefix:
		return []any{"prefix", path.Prefix, sensitive}
	case *route.RouteMatch_Path:
		return []any{"exact", path.Path, sensitive}
	case *route.RouteMatch_SafeRegex:
		return []any{"regex", path.SafeRegex.Regex, sensitive}
	}
	return []any{"other", "", sensitive}
}

func retriesOf(policy *route.RetryPolicy) any {
	if policy == nil {
		return nil
	}
	codes := append([]uint32{}, policy.RetriableStatusCodes...)
	avoids := 0
	if len(policy.RetryHostPredicate) > 0 {
		avoids = 1
	}
	return []any{policy.NumRetries.GetValue(), policy.RetryOn, codes, milliseconds(policy.PerTryTimeout),
		milliseconds(policy.GetRetryBackOff().GetBaseInterval()), avoids}
}

func faultOf(t *testing.T, one *route.Route) any {
	raw := one.TypedPerFilterConfig[wellknown.Fault]
	if raw == nil {
		return nil
	}
	found := &fault.HTTPFault{}
	if err := raw.UnmarshalTo(found); err != nil {
		t.Fatal(err)
	}
	out := []any{-1, -1, -1, -1}
	if delay := found.Delay; delay != nil {
		out[0], out[1] = millionths(delay.Percentage), milliseconds(delay.GetFixedDelay())
	}
	if abort := found.Abort; abort != nil {
		out[2], out[3] = millionths(abort.Percentage), abort.GetHttpStatus()
	}
	return out
}

func mirrorOf(action *route.RouteAction) any {
	if len(action.RequestMirrorPolicies) == 0 {
		return nil
	}
	mirror := action.RequestMirrorPolicies[0]
	return []any{mirror.Cluster, millionths(mirror.RuntimeFraction.GetDefaultValue())}
}

func millionths(share *envoytype.FractionalPercent) uint32 {
	switch share.GetDenominator() {
	case envoytype.FractionalPercent_HUNDRED:
		return share.GetNumerator() * 10_000
	case envoytype.FractionalPercent_TEN_THOUSAND:
		return share.GetNumerator() * 100
	}
	return share.GetNumerator()
}

// Only what the webhook takes, and no route after one that takes all.
func drawValidRoutes(random *rand.Rand) []any {
	routes := []any{}
	for range 1 + random.IntN(3) {
		one := drawValidRoute(random)
		if oneIn(random, 2) {
			one["match"] = drawValidMatches(random)
		}
		routes = append(routes, one)
	}
	return routes
}

func drawValidMatches(random *rand.Rand) []any {
	matches := []any{}
	for range 1 + random.IntN(2) {
		match := object{}
		if !oneIn(random, 4) {
			match["uri"] = pick(random, object{"exact": "/list"}, object{"exact": "/List"}, object{"prefix": "/l"}, object{"prefix": "/"}, object{"prefix": ""},
				object{"regex": "/l.*"}, object{"regex": "(?i)/LIST"}, object{"regex": "/l"}, object{}, object{"prefix": "/buy"})
		}
		if oneIn(random, 4) {
			match["ignoreUriCase"] = pick(random, true, false)
		}
		if oneIn(random, 4) {
			match["sourceLabels"] = pick(random, object{"app": "frontend"}, object{"app": "other"}, object{"version": "v1"}, object{})
		}
		matches = append(matches, match)
	}
	return matches
}

func drawValidRoute(random *rand.Rand) object {
	length := func() any { return pick[any](random, "1s", "1.5s", "250ms", "1ms", "1h30m") }
	one := object{"route": pick[any](random, []any{object{"destination": object{"host": "web"}}},
		[]any{object{"destination": object{"host": "api", "subset": "v1"}, "weight": pick[any](random, 0, 7)}},
		[]any{object{"destination": object{"host": "web"}, "weight": 90}, object{"destination": object{"host": "api"}, "weight": 10}},
		[]any{object{"destination": object{"host": "web"}, "weight": 0}, object{"destination": object{"host": "api"}, "weight": 3}},
		[]any{object{"destination": object{"host": "web"}}, object{"destination": object{"host": "api"}, "weight": 3}})}
	if oneIn(random, 3) {
		one["timeout"] = length()
	}
	if !oneIn(random, 3) {
		retries := object{"attempts": pick[any](random, 1, 3, 20)}
		if oneIn(random, 6) {
			retries = pick(random, object{}, object{"attempts": 0}, object{"backoff": "10ms"}, object{"retryIgnorePreviousHosts": true})
		} else {
			words := func() any {
				return pick[any](random, "5xx", "gateway-error,503", "503", "503,429,retriable-status-codes", "connect-failure,refused-stream", "retriable-4xx,reset", "unavailable,cancelled", "retriable-status-codes", "")
			}
			fields := map[string]func() any{"perTryTimeout": length, "backoff": length, "retryOn": words}
			for name, value := range some(random, 2, fields, "perTryTimeout", "backoff", "retryOn") {
				retries[name] = value
			}
		}
		one["retries"] = retries
	}
	share := func() object {
		return pick(random, object{"value": 10}, object{"value": 33.33333}, object{"value": 0}, object{}, object{"value": 0.0001})
	}
	if oneIn(random, 3) {
		delay, abort := object{"fixedDelay": length()}, object{"httpStatus": pick(random, 503, 429)}
		switch random.IntN(4) {
		case 0:
			delay["percent"] = pick(random, 0, 25, 100)
		case 1:
			delay["percent"], delay["percentage"] = 50, share()
		case 2:
			delay["percentage"] = share()
		}
		if !oneIn(random, 4) {
			abort["percentage"] = share()
		}
		one["fault"] = pick(random, object{"delay": delay}, object{"abort": abort}, object{"delay": delay, "abort": abort}, object{"delay": object{"percent": 10}}, object{"abort": object{"percentage": share()}})
	}
	if oneIn(random, 4) {
		one["mirror"] = object{"host": "api"}
		if oneIn(random, 2) {
			one["mirrorPercentage"] = share()
		}
		if oneIn(random, 3) {
			one["mirrorPercent"] = pick(random, 0, 40)
		}
	}
	return one
}
