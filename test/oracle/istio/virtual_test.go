package oracle

import (
	"math/rand/v2"
	"testing"
)

// [spec of a VirtualService, null where it is taken or who refuses it].
func TestVirtualServices(t *testing.T) {
	random := seeded(3)
	apply := newKubectl(t)
	cases := []any{}
	for range casesPerFunction {
		spec := drawVirtualService(random)
		cases = append(cases, []any{spec, apply.apply(t, "VirtualService", spec)})
	}
	write(t, "virtual-services", cases)
}

func drawVirtualService(random *rand.Rand) object {
	hosts := odd[any](random, pick[any](random, []any{"web"}, []any{"web.default.svc.cluster.local", "api"}), []any{}, []any{"web", "web"}, "web", nil)
	routes := []any{}
	for range 1 + random.IntN(2) {
		routes = append(routes, drawRoute(random))
	}
	spec := object{"hosts": hosts, "http": routes}
	if oneIn(random, 30) {
		spec["http"] = pick[any](random, []any{}, nil, object{}, []any{nil}, []any{object{}})
	}
	if oneIn(random, 40) {
		delete(spec, "hosts")
	}
	if oneIn(random, 40) {
		spec["gateways"] = []any{"mesh"}
	}
	if oneIn(random, 60) {
		spec["host"] = "web"
	}
	return spec
}

func drawRoute(random *rand.Rand) object {
	route := object{"route": drawDestinations(random)}
	fields := map[string]func() any{
		"name":             func() any { return odd[any](random, "one", 1) },
		"match":            func() any { return drawMatches(random) },
		"timeout":          func() any { return drawDuration(random) },
		"retries":          func() any { return drawRetries(random) },
		"fault":            func() any { return drawFault(random) },
		"mirror":           func() any { return drawDestination(random) },
		"mirrorPercentage": func() any { return drawShare(random) },
		"mirrorPercent":    func() any { return pick[any](random, 0, 50, 100, 101, -1) },
		"mirrors":          func() any { return pick[any](random, []any{object{"destination": object{"host": "api"}}}, []any{}) },
		"redirect":         func() any { return drawRedirect(random) },
		"directResponse":   func() any { return drawAnswer(random) },
		"rewrite":          func() any { return drawRewrite(random) },
		"delegate":         func() any { return object{"name": "other"} },
	}
	order := []string{"match", "timeout", "retries", "fault", "mirror"}
	for name, value := range some(random, 3, fields, order...) {
		route[name] = value
	}
	for name, value := range some(random, 12, fields, "name", "mirrorPercentage", "mirrorPercent", "mirrors", "rewrite") {
		route[name] = value
	}
	if oneIn(random, 6) {
		action := pick(random, "redirect", "redirect", "redirect", "directResponse", "delegate")
		route[action] = fields[action]()
		if !oneIn(random, 5) {
			delete(route, "route")
			delete(route, "fault")
			delete(route, "rewrite")
		}
	}
	if oneIn(random, 40) {
		delete(route, "route")
	}
	if oneIn(random, 60) {
		route["routes"] = []any{}
	}
	return route
}

func drawDestinations(random *rand.Rand) any {
	out := []any{}
	for range 1 + random.IntN(3) {
		entry := object{"destination": drawDestination(random)}
		if !oneIn(random, 5) {
			entry["weight"] = odd[any](random, pick[any](random, 0, 1, 20, 50, 100), -1, 1.5, "10", 2147483647, 2147483648)
		}
		if oneIn(random, 50) {
			delete(entry, "destination")
		}
		out = append(out, entry)
	}
	return out
}

func drawDestination(random *rand.Rand) object {
	out := object{"host": pick(random, "web", "api", "api.default.svc.cluster.local")}
	if oneIn(random, 4) {
		out["subset"] = odd[any](random, pick[any](random, "v1", "V2", ""), "a.b", "-v", 1)
	}
	if oneIn(random, 8) {
		out["port"] = pick[any](random, object{"number": 80}, object{"number": 8080}, object{"number": 65535}, object{}, object{"number": 0}, object{"number": 65536}, object{"name": "http"}, 80)
	}
	return out
}

func drawMatches(random *rand.Rand) any {
	out := []any{}
	fields := map[string]func() any{
		"name":          func() any { return "one" },
		"uri":           func() any { return drawUri(random) },
		"ignoreUriCase": func() any { return odd[any](random, true, "yes") },
		"sourceLabels": func() any {
			return odd[any](random, object{"app": "frontend"}, object{"app": "two words"}, object{"a b": "c"}, object{"x.io/a": ""}, object{"app": 1})
		},
		"port":            func() any { return odd[any](random, 80, 0, 65536, -1) },
		"sourceNamespace": func() any { return odd[any](random, "default", "", "two words", 1) },
	}
	for range random.IntN(3) {
		match := some(random, 6, fields, "name", "ignoreUriCase", "sourceLabels", "port", "sourceNamespace")
		if !oneIn(random, 3) {
			match["uri"] = drawUri(random)
		}
		out = append(out, match)
	}
	if oneIn(random, 40) {
		return pick[any](random, object{}, []any{nil}, []any{object{"url": "/"}})
	}
	return out
}

func drawUri(random *rand.Rand) any {
	usual := pick[any](random, object{"exact": "/list"}, object{"prefix": "/"}, object{"regex": "/l.*"}, object{"regex": "(?i)/List"}, object{"prefix": "/li"})
	return odd[any](random, usual, object{"exact": ""}, object{"prefix": ""}, object{"regex": ""}, object{}, object{"exact": "/a", "prefix": "/b"}, object{"regex": "["},
		object{"regex": "(?=x)"}, object{"regex": "(a)\\1"}, object{"regex": "a{1001}"}, object{"regex": "(?P<name>a)"}, object{"suffix": "/a"}, object{"exact": 1}, "/a", object{"regex": "a**"}, object{"regex": "(?!x)y"}, object{"regex": "a{1000}"}, object{"regex": "(?<=a)b"})
}

func drawRetries(random *rand.Rand) any {
	if oneIn(random, 15) {
		return pick[any](random, object{}, nil, object{"attempts": 0}, object{"attempts": 0, "backoff": "25ms"}, object{"perTryTimeout": "1s"}, object{"attempts": 0, "retryOn": ""}, object{"retryOn": "5xx"}, object{"backoff": "1s"}, object{"attempts": 0, "retryRemoteLocalities": true}, object{"attempts": 0, "retryIgnorePreviousHosts": true}, object{"tries": 1})
	}
	word := func() string {
		usual := pick(random, "5xx", "gateway-error", "reset", "connect-failure", "retriable-4xx", "refused-stream", "cancelled", "unavailable", "503", "429", "500", "retriable-status-codes", "reset-before-request")
		return odd(random, usual, "", "5XX", " 503", "599", "99", "600", "100", "418", "420", "timeout", "retriable-headers", "envoy-ratelimited", "http3-post-connect-failure", "deadline-exceeded", "internal", "resource-exhausted")
	}
	fields := map[string]func() any{
		"perTryTimeout":            func() any { return drawDuration(random) },
		"backoff":                  func() any { return drawDuration(random) },
		"retryRemoteLocalities":    func() any { return odd[any](random, true, false, nil, "no") },
		"retryIgnorePreviousHosts": func() any { return odd[any](random, false, true, nil, 0) },
		"retryOn": func() any {
			words := word()
			for range random.IntN(3) {
				words += pick(random, ",", ",", ",", ",", ", ") + word()
			}
			return words
		},
	}
	retries := some(random, 3, fields, "perTryTimeout", "backoff", "retryRemoteLocalities", "retryIgnorePreviousHosts", "retryOn", "retryOn")
	retries["attempts"] = odd[any](random, pick[any](random, 1, 2, 3, 10), 0, -1, 16, 1.5, "2", 2147483647, 2147483648)
	return retries
}

func drawShare(random *rand.Rand) any {
	usual := object{"value": pick[any](random, 0, 0.0001, 0.1, 1, 33.3, 100)}
	return odd[any](random, usual, object{"value": -1}, object{"value": 100.1}, object{"value": 0.00001}, object{"value": "10"}, object{}, 10, object{"percent": 10}, nil)
}

func drawFault(random *rand.Rand) any {
	fault := object{}
	if !oneIn(random, 3) {
		delay := object{"fixedDelay": drawDuration(random)}
		if !oneIn(random, 5) {
			delay["percentage"] = drawShare(random)
		}
		if oneIn(random, 8) {
			delay["percent"] = pick[any](random, 0, 50, 100)
		}
		if oneIn(random, 15) {
			delete(delay, "fixedDelay")
		}
		if oneIn(random, 20) {
			delay["exponentialDelay"] = "1s"
		}
		fault["delay"] = delay
	}
	if !oneIn(random, 3) {
		abort := object{"httpStatus": odd[any](random, pick[any](random, 200, 400, 500, 503, 599, 600), 199, 601, 0, -1, "500", 500.5)}
		if !oneIn(random, 5) {
			abort["percentage"] = drawShare(random)
		}
		if oneIn(random, 6) {
			delete(abort, "httpStatus")
			abort["grpcStatus"] = odd[any](random, pick[any](random, "UNAVAILABLE", "NOT_FOUND"), "unavailable", "14", 14, "")
		}
		if oneIn(random, 20) {
			delete(abort, "httpStatus")
		}
		if oneIn(random, 25) {
			abort[pick(random, "percent", "http2Error", "grpcStatus", "status")] = pick[any](random, 50, "UNAVAILABLE")
		}
		fault["abort"] = abort
	}
	return fault
}

func drawRedirect(random *rand.Rand) any {
	fields := map[string]func() any{
		"uri":           func() any { return odd[any](random, "/new", "", 1) },
		"authority":     func() any { return odd[any](random, "example.com", "") },
		"scheme":        func() any { return odd[any](random, "https", "http", "ftp", "", "HTTPS") },
		"port":          func() any { return odd[any](random, 443, 0, 65536, -1, "443") },
		"derivePort":    func() any { return odd[any](random, "FROM_REQUEST_PORT", "FROM_PROTOCOL_DEFAULT", "443") },
		"redirectCode":  func() any { return odd[any](random, 302, 0, 200, 399, 400, 307) },
		"prefixRewrite": func() any { return odd[any](random, "/new", "") },
	}
	out := some(random, 3, fields, "uri", "authority", "scheme", "port", "redirectCode")
	for name, value := range some(random, 8, fields, "prefixRewrite", "derivePort") {
		out[name] = value
	}
	return out
}

func drawAnswer(random *rand.Rand) any {
	return odd[any](random, object{"status": pick[any](random, 200, 404, 503)}, object{}, object{"status": 199}, object{"status": 601}, object{"status": 200, "body": object{"string": "ok"}}, object{"status": "200"})
}

func drawRewrite(random *rand.Rand) any {
	usual := pick[any](random, object{"uri": "/a"}, object{"authority": "example.com"}, object{"uriRegexRewrite": object{"match": "/a", "rewrite": "/b"}})
	return odd[any](random, usual, object{}, object{"uri": ""}, object{"uri": "/a", "uriRegexRewrite": object{"match": "/a", "rewrite": "/b"}}, object{"uriRegexRewrite": object{"match": "/a"}},
		object{"uriRegexRewrite": object{"match": "[", "rewrite": "/b"}}, object{"uriRegexRewrite": object{}}, object{"url": "/a"})
}
