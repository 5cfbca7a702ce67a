package oracle

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	crds "istio.io/istio/pilot/pkg/config/kube/crd"
	"istio.io/istio/pkg/config"
	"istio.io/istio/pkg/config/crd"
	"istio.io/istio/pkg/config/schema/collections"
	"istio.io/istio/pkg/config/schema/resource"
	"istio.io/istio/pkg/test/env"
)

// What stands between `kubectl apply` and the cluster: the schema of the CRD, with its CEL rules and without unknown
// fields, and then the webhook of istiod, which reads the object into its own type and validates it.
type kubectl struct {
	schemas *crd.Validator
}

// Only the CRDs that are asked for: making all of them takes seconds.
func newKubectl(t *testing.T) kubectl {
	all, err := os.ReadFile(filepath.Join(env.IstioSrc, "manifests/charts/base/files/crd-all.gen.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	asked := regexp.MustCompile(`(?m)^    kind: (DestinationRule|VirtualService)$`)
	documents := []string{}
	for _, document := range strings.Split(string(all), "\n---\n") {
		if asked.MatchString(document) {
			documents = append(documents, document)
		}
	}
	if len(documents) != 2 {
		t.Fatalf("found %d of 2 CRDs", len(documents))
	}
	file := filepath.Join(t.TempDir(), "crds.yaml")
	if err := os.WriteFile(file, []byte(strings.Join(documents, "\n---\n")), 0o644); err != nil {
		t.Fatal(err)
	}
	validator, err := crd.NewValidatorFromFiles(file)
	if err != nil {
		t.Fatal(err)
	}
	return kubectl{validator}
}

// How often the webhook is asked: the keys of `distribute.to` come to it in another order each time, and where they
// overlap its answer depends on that. 40 tries miss one of two orders once in 10^12.
const tries = 40

// Null where it is always taken, else who refuses it: the schema, the webhook, or the webhook in some orders ("order").
func (k kubectl) apply(t *testing.T, kind string, spec object) any {
	raw := objectOf(t, kind, spec)
	un := &unstructured.Unstructured{}
	if err := un.UnmarshalJSON(raw); err != nil {
		t.Fatal(err)
	}
	if err := k.schemas.ValidateCustomResource(un); err != nil {
		return "schema"
	}
	refused := 0
	for range tries {
		if _, err := readObject(t, kind, raw); err != nil {
			refused++
		}
	}
	switch refused {
	case 0:
		return nil
	case tries:
		return "webhook"
	default:
		return "order"
	}
}

func objectOf(t *testing.T, kind string, spec object) []byte {
	raw, err := json.Marshal(object{
		"apiVersion": "networking.istio.io/v1",
		"kind":       kind,
		"metadata":   object{"name": "one", "namespace": "default"},
		"spec":       spec,
	})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// As the webhook reads and validates an object.
func readObject(t *testing.T, kind string, raw []byte) (*config.Config, error) {
	var read crds.IstioKind
	if err := json.Unmarshal(raw, &read); err != nil {
		return nil, err
	}
	gvk := read.GroupVersionKind()
	schema, exists := collections.Pilot.FindByGroupKind(resource.FromKubernetesGVK(&gvk))
	if !exists {
		t.Fatalf("no schema of %s", kind)
	}
	found, err := crds.ConvertObject(schema, &read, "cluster.local")
	if err != nil {
		return nil, err
	}
	_, err = schema.ValidateConfig(*found)
	return found, err
}
