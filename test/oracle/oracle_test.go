package oracle

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"testing"
	"unsafe"
)

const casesPerFunction = 250

// Each function has a stream of its own, so that more cases of one leave the others alone.
func seeded(stream uint64) *rand.Rand {
	return rand.New(rand.NewPCG(20261124, stream))
}

// One line a case: small, and a change shows as a line.
func write(t *testing.T, name string, cases []any) {
	directory := os.Getenv("ORACLE_OUT")
	if directory == "" {
		t.Fatal("set ORACLE_OUT to the directory for the JSON")
	}
	var out bytes.Buffer
	out.WriteString(`{"module":"k8s.io/kubernetes ` + kubernetesVersion(t) + `","cases":[`)
	for i, one := range cases {
		if i > 0 {
			out.WriteString(",")
		}
		line, err := json.Marshal(one)
		if err != nil {
			t.Fatal(err)
		}
		out.WriteString("\n")
		out.Write(line)
	}
	out.WriteString("\n]}\n")
	if err := os.WriteFile(filepath.Join(directory, name+".json"), out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// From go.mod, as a test's build does not list its modules.
func kubernetesVersion(t *testing.T) string {
	module, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)\bk8s\.io/kubernetes (v\S+)`).FindSubmatch(module)
	if found == nil {
		t.Fatal("go.mod names no version of k8s.io/kubernetes")
	}
	return string(found[1])
}

// Unexported fields of the real structs, set where their constructors would start a whole controller.
func setField(object any, name string, value any) {
	field := reflect.ValueOf(object).Elem().FieldByName(name)
	reflect.NewAt(field.Type(), unsafe.Pointer(field.UnsafeAddr())).Elem().Set(reflect.ValueOf(value))
}

func setEmptyMap(object any, name string) {
	field := reflect.ValueOf(object).Elem().FieldByName(name)
	reflect.NewAt(field.Type(), unsafe.Pointer(field.UnsafeAddr())).Elem().Set(reflect.MakeMap(field.Type()))
}

func pick[T any](random *rand.Rand, values ...T) T {
	return values[random.IntN(len(values))]
}
