//go:build istio130

package oracle

const (
	release    = "1.30"
	moduleFile = "istio130.mod"
)
