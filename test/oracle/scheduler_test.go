package oracle

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/apis/config"
	"k8s.io/kubernetes/pkg/scheduler/apis/config/testing/defaults"
	"k8s.io/kubernetes/pkg/scheduler/backend/cache"
	"k8s.io/kubernetes/pkg/scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins"
	frameworkruntime "k8s.io/kubernetes/pkg/scheduler/framework/runtime"
	"k8s.io/kubernetes/pkg/scheduler/metrics"
)

// The bits of an answer's rejections, from the lowest, and the order of its scores.
var (
	filterPlugins = []string{"NodeUnschedulable", "TaintToleration", "NodeAffinity", "NodePorts", "NodeResourcesFit",
		"PodTopologySpread", "InterPodAffinity"}
	scorePlugins = []string{"TaintToleration", "NodeAffinity", "NodeResourcesFit", "PodTopologySpread", "InterPodAffinity",
		"NodeResourcesBalancedAllocation", "ImageLocality"}
)

const (
	worlds       = 40
	podsPerWorld = 13
)

// {nodes, bound, asked: [[pod, [rejections of each node...], [scores of each node or null...]]...]}; nodes and pods as
// worldNode and worldPod, the scores in the order above, normalised but without weights, and then the weighted total.
// Scores are of the nodes that pass all filters.
func TestScheduler(t *testing.T) {
	metrics.Register()
	random := seeded(7)
	cases := []any{}
	for range worlds {
		nodes, bound := drawWorld(random)
		profile := newProfile(t, nodes, bound)
		asked := []any{}
		for range podsPerWorld {
			pod := drawWorldPod(random, len(nodes))
			rejections, scores := profile.ask(t, pod.object("new"))
			asked = append(asked, []any{pod, rejections, scores})
		}
		cases = append(cases, map[string]any{"nodes": nodes, "bound": bound, "asked": asked})
	}
	write(t, "scheduler", cases)
}

type profile struct {
	framework framework.Framework
	plugins   map[string]fwk.Plugin
	nodes     []fwk.NodeInfo
	weights   map[string]int64
}

// The default profile's plugins, arguments and weights, without what concerns volumes and devices.
func newProfile(t *testing.T, nodes []worldNode, bound []worldPod) *profile {
	objects, pods := []*v1.Node{}, []*v1.Pod{}
	for i, node := range nodes {
		objects = append(objects, node.object(i))
	}
	for i, pod := range bound {
		object := pod.object(fmt.Sprintf("bound-%d", i))
		object.Spec.NodeName = nodeName(pod.Node)
		pods = append(pods, object)
	}
	client := fake.NewSimpleClientset()
	factory := informers.NewSharedInformerFactory(client, 0)
	for _, service := range services() {
		if err := factory.Core().V1().Services().Informer().GetStore().Add(service); err != nil {
			t.Fatal(err)
		}
	}
	made := &profile{plugins: map[string]fwk.Plugin{}, weights: map[string]int64{}}
	registry := plugins.NewInTreeRegistry()
	for name, build := range registry {
		registry[name] = func(ctx context.Context, args runtime.Object, handle fwk.Handle) (fwk.Plugin, error) {
			plugin, err := build(ctx, args, handle)
			made.plugins[name] = plugin
			return plugin, err
		}
	}
	all, wanted := defaults.ExpandedPluginsV1, append(slices.Clone(filterPlugins), scorePlugins...)
	set := config.Plugins{QueueSort: all.QueueSort, Bind: all.Bind, PreFilter: only(all.PreFilter, wanted),
		Filter: only(all.Filter, wanted), PreScore: only(all.PreScore, wanted), Score: only(all.Score, wanted)}
	for _, plugin := range set.Score.Enabled {
		made.weights[plugin.Name] = int64(plugin.Weight)
	}
	snapshot := cache.NewSnapshot(pods, objects)
	var err error
	made.framework, err = frameworkruntime.NewFramework(context.Background(), registry,
		&config.KubeSchedulerProfile{SchedulerName: "default-scheduler", Plugins: &set, PluginConfig: defaults.PluginConfigsV1},
		frameworkruntime.WithClientSet(client), frameworkruntime.WithInformerFactory(factory),
		frameworkruntime.WithSnapshotSharedLister(snapshot))
	if err != nil {
		t.Fatal(err)
	}
	for _, object := range objects {
		info, err := snapshot.Get(object.Name)
		if err != nil {
			t.Fatal(err)
		}
		made.nodes = append(made.nodes, info)
	}
	return made
}

func only(set config.PluginSet, names []string) config.PluginSet {
	kept := config.PluginSet{}
	for _, plugin := range set.Enabled {
		if slices.Contains(names, plugin.Name) {
			kept.Enabled = append(kept.Enabled, plugin)
		}
	}
	return kept
}

// Each filter is asked for itself, as the framework stops at the first that rejects.
func (p *profile) ask(t *testing.T, pod *v1.Pod) (rejections []int, scores []any) {
	ctx, state := context.Background(), framework.NewCycleState()
	rejections = make([]int, len(p.nodes))
	for bit, name := range filterPlugins {
		for i, isRejected := range p.rejects(t, ctx, state, name, pod) {
			if isRejected {
				rejections[i] |= 1 << bit
			}
		}
	}
	passed := []fwk.NodeInfo{}
	for i, node := range p.nodes {
		if rejections[i] == 0 {
			passed = append(passed, node)
		}
	}
	scores = make([]any, len(p.nodes))
	if len(passed) == 0 {
		return rejections, scores
	}
	if status := p.framework.RunPreScorePlugins(ctx, state, pod, passed); !status.IsSuccess() {
		t.Fatal(status)
	}
	answers, status := p.framework.RunScorePlugins(ctx, state, pod, passed)
	if !status.IsSuccess() {
		t.Fatal(status)
	}
	for _, answer := range answers {
		scores[nodeIndex(answer.Name)] = p.scoresOf(answer)
	}
	return rejections, scores
}

// A plugin that skips itself in PreScore gives no score, which counts as 0.
func (p *profile) scoresOf(answer fwk.NodePluginScores) []int64 {
	parts := make([]int64, len(scorePlugins))
	for _, part := range answer.Scores {
		if at := slices.Index(scorePlugins, part.Name); at >= 0 {
			parts[at] = part.Score / p.weights[part.Name]
		}
	}
	return append(parts, answer.TotalScore)
}

func (p *profile) rejects(t *testing.T, ctx context.Context, state fwk.CycleState, name string, pod *v1.Pod) []bool {
	answers := make([]bool, len(p.nodes))
	plugin := p.plugins[name]
	var allowed *fwk.PreFilterResult
	if before, ok := plugin.(fwk.PreFilterPlugin); ok {
		result, status := before.PreFilter(ctx, state, pod, p.nodes)
		if status.IsSkip() {
			return answers
		}
		if !status.IsSuccess() && !status.IsRejected() {
			t.Fatal(status)
		}
		if status.IsRejected() {
			for i := range answers {
				answers[i] = true
			}
			return answers
		}
		allowed = result
	}
	for i, node := range p.nodes {
		if !allowed.AllNodes() && !allowed.NodeNames.Has(node.Node().Name) {
			answers[i] = true
			continue
		}
		status := plugin.(fwk.FilterPlugin).Filter(ctx, state, pod, node)
		if !status.IsSuccess() && !status.IsRejected() {
			t.Fatal(status)
		}
		answers[i] = status.IsRejected()
	}
	return answers
}

// Every pod has a service, whose selector the default spread constraints take.
func services() []*v1.Service {
	made := []*v1.Service{}
	for _, space := range namespaces {
		for _, app := range appNames {
			service := &v1.Service{ObjectMeta: metav1.ObjectMeta{Name: app, Namespace: space}}
			service.Spec.Selector = map[string]string{"app": app}
			made = append(made, service)
		}
	}
	return made
}

func chance(random *rand.Rand, percent int) bool {
	return random.IntN(100) < percent
}
