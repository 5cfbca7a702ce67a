//go:build !istio130

package oracle

import (
	"encoding/json"
	"testing"

	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	"google.golang.org/protobuf/encoding/protojson"

	networking "istio.io/api/networking/v1alpha3"
	"istio.io/istio/pilot/pkg/model"
	"istio.io/istio/pilot/pkg/networking/core"
	"istio.io/istio/pilot/pkg/networking/util"
	topology "istio.io/istio/pilot/pkg/serviceregistry/util/label"
	"istio.io/istio/pkg/config"
	"istio.io/istio/pkg/config/host"
	"istio.io/istio/pkg/config/mesh"
	"istio.io/istio/pkg/config/protocol"
)

const (
	webHost    = host.Name("web.default.svc.cluster.local")
	webCluster = "outbound|80||web.default.svc.cluster.local"
)

// What istiod is told: two services, a rule, a virtual service, each or none.
type given struct {
	rule           object
	virtualService object
	// Mesh-wide localityLbSetting; nil is Istio's default.
	locality     object
	distribution model.TrafficDistribution
}

// The real control plane, in memory.
func newMesh(t *testing.T, g given) *core.ConfigGenTest {
	configs := []config.Config{}
	for kind, spec := range map[string]object{"DestinationRule": g.rule, "VirtualService": g.virtualService} {
		if spec == nil {
			continue
		}
		found, err := readObject(t, kind, objectOf(t, kind, spec))
		if err != nil {
			t.Fatalf("%v is refused: %v", spec, err)
		}
		configs = append(configs, *found)
	}
	settings := mesh.DefaultMeshConfig()
	if g.locality != nil {
		raw, err := json.Marshal(g.locality)
		if err != nil {
			t.Fatal(err)
		}
		settings.LocalityLbSetting = &networking.LocalityLoadBalancerSetting{}
		if err := protojson.Unmarshal(raw, settings.LocalityLbSetting); err != nil {
			t.Fatal(err)
		}
	}
	return core.NewConfigGenTest(t, core.TestOptions{
		Configs:    configs,
		Services:   []*model.Service{service(webHost, g.distribution), service("api.default.svc.cluster.local", 0)},
		MeshConfig: settings,
	})
}

func service(name host.Name, distribution model.TrafficDistribution) *model.Service {
	return &model.Service{
		Hostname:       name,
		DefaultAddress: "10.0.0.1",
		Ports:          []*model.Port{{Name: "http", Port: 80, Protocol: protocol.HTTP}},
		Resolution:     model.ClientSideLB,
		Attributes: model.ServiceAttributes{
			Namespace:     "default",
			K8sAttributes: model.K8sAttributes{TrafficDistribution: distribution},
		},
	}
}

// A sidecar of the app frontend in a zone, on a node, with the labels that it gets there.
func sidecar(m *core.ConfigGenTest, zone, node string) *model.Proxy {
	labels := topology.AugmentLabels(map[string]string{"app": "frontend"}, "", zone, node, "")
	return m.SetupProxy(&model.Proxy{
		Type:            model.SidecarProxy,
		ConfigNamespace: "default",
		Locality:        util.ConvertLocality(zone),
		Labels:          labels,
		Metadata:        &model.NodeMetadata{Namespace: "default", IstioVersion: release + ".0", Labels: labels},
	})
}

func clusterNamed(t *testing.T, m *core.ConfigGenTest, proxy *model.Proxy, name string) *cluster.Cluster {
	for _, found := range m.Clusters(proxy) {
		if found.Name == name {
			return found
		}
	}
	t.Fatalf("no cluster %s", name)
	return nil
}
