// Package oracle asks the released Kubernetes code for its answers to seeded random cases and writes them as JSON, which
// the TypeScript tests beside it compare with the simulator. It copies nothing: unexported functions are linked by name,
// and time stands still in a bubble of testing/synctest.
package oracle
