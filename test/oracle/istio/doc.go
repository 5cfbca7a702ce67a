// Package oracle asks the released Istio code for its answers to seeded random cases and writes them as JSON, which the
// TypeScript tests beside it compare with the simulator. It copies nothing: unexported functions are linked by name.
// One set of tests asks two releases: go.mod names Istio 1.31, istio130.mod with the build tag istio130 names 1.30.
package oracle
