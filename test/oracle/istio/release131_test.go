//go:build !istio130

package oracle

const (
	release    = "1.31"
	moduleFile = "go.mod"
)
