package oracle

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Memory in Mi. A cordoned or lost node has the taint that its state brings, too.
type worldNode struct {
	Zone     int               `json:"zone"`
	CPU      int64             `json:"cpu"`
	Memory   int64             `json:"mem"`
	Pods     int64             `json:"pods"`
	Cordoned bool              `json:"cordoned,omitempty"`
	Lost     bool              `json:"lost,omitempty"`
	Labels   map[string]string `json:"labels,omitempty"`
	Taints   []v1.Taint        `json:"taints,omitempty"`
	Images   map[string]int64  `json:"images,omitempty"`
}

type worldPod struct {
	Node           int                           `json:"node,omitempty"`
	Terminating    bool                          `json:"terminating,omitempty"`
	Namespace      string                        `json:"ns"`
	Labels         map[string]string             `json:"labels"`
	CPU            int64                         `json:"cpu,omitempty"`
	Memory         int64                         `json:"mem,omitempty"`
	Images         []string                      `json:"images,omitempty"`
	Ports          []v1.ContainerPort            `json:"ports,omitempty"`
	Tolerations    []v1.Toleration               `json:"tolerations,omitempty"`
	NodeSelector   map[string]string             `json:"nodeSelector,omitempty"`
	NodeTerms      []v1.NodeSelectorTerm         `json:"nodeTerms,omitempty"`
	PreferredNodes []v1.PreferredSchedulingTerm  `json:"preferredNodes,omitempty"`
	Near           *podTerms                     `json:"near,omitempty"`
	Away           *podTerms                     `json:"away,omitempty"`
	Spread         []v1.TopologySpreadConstraint `json:"spread,omitempty"`
}

type podTerms struct {
	Required  []v1.PodAffinityTerm         `json:"required,omitempty"`
	Preferred []v1.WeightedPodAffinityTerm `json:"preferred,omitempty"`
}

var (
	namespaces   = []string{"default", "other"}
	appNames     = []string{"web", "api", "db"}
	topologyKeys = []string{v1.LabelTopologyZone, v1.LabelHostname, "rack"}
)

func drawWorld(random *rand.Rand) (nodes []worldNode, bound []worldPod) {
	for range 4 + random.IntN(4) {
		nodes = append(nodes, drawWorldNode(random))
	}
	for range 4 + random.IntN(16) {
		pod := worldPod{Node: random.IntN(len(nodes)), Terminating: chance(random, 10)}
		drawIdentity(random, &pod)
		if chance(random, 25) {
			pod.Ports = drawPorts(random)
		}
		if chance(random, 12) {
			pod.Near = drawTerms(random, 40)
		}
		if chance(random, 12) {
			pod.Away = drawTerms(random, 40)
		}
		bound = append(bound, pod)
	}
	return nodes, bound
}

func drawWorldNode(random *rand.Rand) worldNode {
	node := worldNode{Zone: random.IntN(3), CPU: pick[int64](random, 2000, 3920, 4000, 8000), Memory: pick[int64](random, 2048, 4096, 7777, 16384)}
	node.Pods = pick[int64](random, 110, 110, 110, 110, 110, 110, 2)
	node.Cordoned, node.Lost = chance(random, 6), chance(random, 6)
	node.Labels, node.Images = map[string]string{}, map[string]int64{}
	if chance(random, 4) {
		node.CPU = 0
	}
	if chance(random, 80) {
		node.Labels["rack"] = pick(random, "a", "b")
	}
	if chance(random, 70) {
		node.Labels["size"] = pick(random, "1", "2", "10", "big")
	}
	for range random.IntN(4) {
		effect := pick(random, v1.TaintEffectPreferNoSchedule, v1.TaintEffectPreferNoSchedule, v1.TaintEffectPreferNoSchedule, v1.TaintEffectNoSchedule, v1.TaintEffectNoExecute)
		if effect != v1.TaintEffectPreferNoSchedule && chance(random, 65) {
			continue
		}
		node.Taints = append(node.Taints, v1.Taint{Key: pick(random, "a", "b", "c"), Value: pick(random, "", "x"), Effect: effect})
	}
	for image := range 3 {
		if chance(random, 50) {
			node.Images[imageName(image)] = 1 + random.Int64N(pick[int64](random, 30, 300, 1500)<<20)
		}
	}
	return node
}

func drawWorldPod(random *rand.Rand, nodeCount int) worldPod {
	pod := worldPod{}
	drawIdentity(random, &pod)
	for range random.IntN(4) {
		pod.Images = append(pod.Images, imageName(random.IntN(3)))
	}
	if chance(random, 25) {
		pod.Ports = drawPorts(random)
	}
	if chance(random, 50) {
		pod.Tolerations = drawTolerations(random)
	}
	if chance(random, 10) {
		pod.NodeSelector = map[string]string{"rack": "a"}
	}
	if chance(random, 20) {
		for range 1 + random.IntN(3) {
			pod.NodeTerms = append(pod.NodeTerms, drawNodeTerm(random, nodeCount))
		}
	}
	if chance(random, 60) {
		for range 1 + random.IntN(3) {
			pod.PreferredNodes = append(pod.PreferredNodes, v1.PreferredSchedulingTerm{Weight: 1 + random.Int32N(100), Preference: drawNodeTerm(random, nodeCount)})
		}
	}
	if chance(random, 40) {
		pod.Near = drawTerms(random, 20)
	}
	if chance(random, 40) {
		pod.Away = drawTerms(random, 20)
	}
	if chance(random, 60) {
		pod.Spread = drawSpread(random)
	}
	return pod
}

func drawIdentity(random *rand.Rand, pod *worldPod) {
	pod.Namespace = pick(random, namespaces[0], namespaces[0], namespaces[0], namespaces[1])
	pod.Labels = map[string]string{"app": pick(random, appNames...)}
	if chance(random, 40) {
		pod.Labels["tier"] = pick(random, "front", "back")
	}
	pod.CPU = pick[int64](random, 0, 100, 250, 333, 500, 1200)
	pod.Memory = pick[int64](random, 0, 64, 200, 512, 1001)
	if chance(random, 10) {
		pod.CPU, pod.Memory = 0, 0
	}
}

func drawPorts(random *rand.Rand) []v1.ContainerPort {
	port := pick[int32](random, 80, 81)
	return []v1.ContainerPort{{HostPort: port, ContainerPort: port, Protocol: pick(random, v1.ProtocolTCP, v1.ProtocolTCP, v1.ProtocolUDP), HostIP: pick(random, "0.0.0.0", "10.0.0.1", "10.0.0.2")}}
}

func drawTolerations(random *rand.Rand) []v1.Toleration {
	drawn := []v1.Toleration{}
	for range 1 + random.IntN(3) {
		one := v1.Toleration{Key: pick(random, "a", "b", "c", "node.kubernetes.io/unschedulable", "node.kubernetes.io/not-ready"), Operator: v1.TolerationOpExists}
		one.Effect = pick(random, "", v1.TaintEffectNoSchedule, v1.TaintEffectPreferNoSchedule, v1.TaintEffectNoExecute)
		if chance(random, 50) {
			one.Operator, one.Value = v1.TolerationOpEqual, pick(random, "", "x")
		} else if chance(random, 15) {
			one.Key = ""
		}
		drawn = append(drawn, one)
	}
	return drawn
}

func drawNodeTerm(random *rand.Rand, nodeCount int) v1.NodeSelectorTerm {
	term := v1.NodeSelectorTerm{}
	for range pick(random, 0, 1, 1, 1, 2) {
		term.MatchExpressions = append(term.MatchExpressions, pick(random,
			v1.NodeSelectorRequirement{Key: "rack", Operator: v1.NodeSelectorOpIn, Values: []string{pick(random, "a", "b")}},
			v1.NodeSelectorRequirement{Key: "rack", Operator: v1.NodeSelectorOpNotIn, Values: []string{"a"}},
			v1.NodeSelectorRequirement{Key: v1.LabelTopologyZone, Operator: v1.NodeSelectorOpIn, Values: []string{"0", pick(random, "1", "2")}},
			v1.NodeSelectorRequirement{Key: "size", Operator: v1.NodeSelectorOpGt, Values: []string{pick(random, "1", "5")}},
			v1.NodeSelectorRequirement{Key: "size", Operator: v1.NodeSelectorOpLt, Values: []string{pick(random, "2", "10")}},
			v1.NodeSelectorRequirement{Key: "size", Operator: pick(random, v1.NodeSelectorOpExists, v1.NodeSelectorOpDoesNotExist)},
		))
	}
	if chance(random, 15) {
		operator := pick(random, v1.NodeSelectorOpIn, v1.NodeSelectorOpNotIn)
		term.MatchFields = []v1.NodeSelectorRequirement{{Key: "metadata.name", Operator: operator, Values: []string{nodeName(random.IntN(nodeCount))}}}
	}
	return term
}

func drawSelector(random *rand.Rand) *metav1.LabelSelector {
	selector := &metav1.LabelSelector{}
	if chance(random, 65) {
		selector.MatchLabels = map[string]string{"app": pick(random, appNames...)}
	}
	if chance(random, 35) {
		selector.MatchExpressions = []metav1.LabelSelectorRequirement{pick(random,
			metav1.LabelSelectorRequirement{Key: "tier", Operator: metav1.LabelSelectorOpIn, Values: []string{"front"}},
			metav1.LabelSelectorRequirement{Key: "tier", Operator: metav1.LabelSelectorOpNotIn, Values: []string{"back"}},
			metav1.LabelSelectorRequirement{Key: "tier", Operator: metav1.LabelSelectorOpExists},
			metav1.LabelSelectorRequirement{Key: "tier", Operator: metav1.LabelSelectorOpDoesNotExist},
		)}
	}
	return selector
}

func drawTerms(random *rand.Rand, requiredPercent int) *podTerms {
	terms := &podTerms{}
	term := func() v1.PodAffinityTerm {
		drawn := v1.PodAffinityTerm{LabelSelector: drawSelector(random), TopologyKey: pick(random, topologyKeys...)}
		if chance(random, 20) {
			drawn.Namespaces = []string{pick(random, namespaces...)}
		}
		return drawn
	}
	if chance(random, requiredPercent) {
		for range pick(random, 1, 1, 2) {
			terms.Required = append(terms.Required, term())
		}
	}
	for range random.IntN(3) {
		terms.Preferred = append(terms.Preferred, v1.WeightedPodAffinityTerm{Weight: 1 + random.Int32N(100), PodAffinityTerm: term()})
	}
	return terms
}

// At most one constraint for a key, as the API wants no two alike.
func drawSpread(random *rand.Rand) []v1.TopologySpreadConstraint {
	drawn := []v1.TopologySpreadConstraint{}
	for _, key := range topologyKeys {
		if chance(random, 65) {
			continue
		}
		one := v1.TopologySpreadConstraint{MaxSkew: pick[int32](random, 1, 1, 1, 2, 4), TopologyKey: key, LabelSelector: drawSelector(random)}
		one.WhenUnsatisfiable = pick(random, v1.ScheduleAnyway, v1.DoNotSchedule)
		if one.WhenUnsatisfiable == v1.DoNotSchedule && chance(random, 30) {
			domains := 1 + random.Int32N(4)
			one.MinDomains = &domains
		}
		honor, ignore := v1.NodeInclusionPolicyHonor, v1.NodeInclusionPolicyIgnore
		one.NodeTaintsPolicy = pick(random, nil, nil, &honor, &ignore)
		one.NodeAffinityPolicy = pick(random, nil, nil, &honor, &ignore)
		drawn = append(drawn, one)
	}
	return drawn
}

func (n worldNode) object(index int) *v1.Node {
	name := nodeName(index)
	node := &v1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{v1.LabelHostname: name, v1.LabelTopologyZone: strconv.Itoa(n.Zone)}}}
	for key, value := range n.Labels {
		node.Labels[key] = value
	}
	node.Spec.Taints, node.Spec.Unschedulable = append(node.Spec.Taints, n.Taints...), n.Cordoned
	if n.Cordoned {
		node.Spec.Taints = append(node.Spec.Taints, v1.Taint{Key: v1.TaintNodeUnschedulable, Effect: v1.TaintEffectNoSchedule})
	}
	if n.Lost {
		node.Spec.Taints = append(node.Spec.Taints, v1.Taint{Key: v1.TaintNodeNotReady, Effect: v1.TaintEffectNoSchedule})
	}
	node.Status.Allocatable = amounts(n.CPU, n.Memory)
	node.Status.Allocatable[v1.ResourcePods] = *resource.NewQuantity(n.Pods, resource.DecimalSI)
	for image, bytes := range n.Images {
		node.Status.Images = append(node.Status.Images, v1.ContainerImage{Names: []string{image}, SizeBytes: bytes})
	}
	return node
}

// All images but the first are those of init containers with the same requests, which add nothing to the pod's.
func (p worldPod) object(name string) *v1.Pod {
	pod := &v1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: p.Namespace, UID: types.UID(name), Labels: p.Labels}}
	if p.Terminating {
		pod.DeletionTimestamp = &metav1.Time{Time: time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)}
	}
	images := p.Images
	if len(images) == 0 {
		images = []string{""}
	}
	for i, image := range images {
		container := v1.Container{Name: fmt.Sprintf("c%d", i), Image: image}
		container.Resources.Requests = requests(p.CPU, p.Memory)
		if i == 0 {
			container.Ports = p.Ports
			pod.Spec.Containers = []v1.Container{container}
		} else {
			pod.Spec.InitContainers = append(pod.Spec.InitContainers, container)
		}
	}
	pod.Spec.Tolerations, pod.Spec.NodeSelector, pod.Spec.TopologySpreadConstraints = p.Tolerations, p.NodeSelector, p.Spread
	pod.Spec.Affinity = &v1.Affinity{NodeAffinity: &v1.NodeAffinity{PreferredDuringSchedulingIgnoredDuringExecution: p.PreferredNodes}}
	if len(p.NodeTerms) > 0 {
		pod.Spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution = &v1.NodeSelector{NodeSelectorTerms: p.NodeTerms}
	}
	if p.Near != nil {
		pod.Spec.Affinity.PodAffinity = &v1.PodAffinity{RequiredDuringSchedulingIgnoredDuringExecution: p.Near.Required, PreferredDuringSchedulingIgnoredDuringExecution: p.Near.Preferred}
	}
	if p.Away != nil {
		pod.Spec.Affinity.PodAntiAffinity = &v1.PodAntiAffinity{RequiredDuringSchedulingIgnoredDuringExecution: p.Away.Required, PreferredDuringSchedulingIgnoredDuringExecution: p.Away.Preferred}
	}
	return pod
}

func requests(cpu, memory int64) v1.ResourceList {
	list := amounts(cpu, memory)
	if cpu == 0 {
		delete(list, v1.ResourceCPU)
	}
	if memory == 0 {
		delete(list, v1.ResourceMemory)
	}
	return list
}

func amounts(cpu, memory int64) v1.ResourceList {
	return v1.ResourceList{
		v1.ResourceCPU:    *resource.NewMilliQuantity(cpu, resource.DecimalSI),
		v1.ResourceMemory: *resource.NewQuantity(memory<<20, resource.BinarySI),
	}
}

func imageName(index int) string { return fmt.Sprintf("image-%d:v1", index) }

func nodeName(index int) string { return fmt.Sprintf("n%d", index) }

func nodeIndex(name string) int {
	index, _ := strconv.Atoi(strings.TrimPrefix(name, "n"))
	return index
}
