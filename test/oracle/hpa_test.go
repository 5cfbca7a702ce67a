package oracle

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
	_ "unsafe"

	autoscaling "k8s.io/api/autoscaling/v2"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	defaults "k8s.io/kubernetes/pkg/apis/autoscaling/v2"
	"k8s.io/kubernetes/pkg/controller/podautoscaler"
	"k8s.io/kubernetes/pkg/controller/podautoscaler/metrics"
)

//go:linkname normalizeLegacy k8s.io/kubernetes/pkg/controller/podautoscaler.(*HorizontalController).normalizeDesiredReplicas
func normalizeLegacy(a *podautoscaler.HorizontalController, hpa *autoscaling.HorizontalPodAutoscaler, key string, current, recommended, minReplicas int32) int32

//go:linkname normalizeBehavior k8s.io/kubernetes/pkg/controller/podautoscaler.(*HorizontalController).normalizeDesiredReplicasWithBehaviors
func normalizeBehavior(a *podautoscaler.HorizontalController, hpa *autoscaling.HorizontalPodAutoscaler, key string, current, recommended, minReplicas int32) int32

//go:linkname storeScaleEvent k8s.io/kubernetes/pkg/controller/podautoscaler.(*HorizontalController).storeScaleEvent
func storeScaleEvent(a *podautoscaler.HorizontalController, behavior *autoscaling.HorizontalPodAutoscalerBehavior, key string, before, after int32)

type fakeMetrics struct {
	metrics.MetricsClient
	info metrics.PodMetricsInfo
}

func (f fakeMetrics) GetResourceMetric(context.Context, v1.ResourceName, string, labels.Selector, string) (metrics.PodMetricsInfo, time.Time, error) {
	return f.info, time.Time{}, nil
}

// [current, targetPercent, toleranceUp, toleranceDown, [pod...], replicas, utilization], the last two null for an error.
// A pod: [phase, deleting, startedAgo or -1, ready 0/1 or -1, changedAgo, requestMilli, usageMilli or -1, sampleAgo];
// times in seconds before now.
func TestReplicaCalculator(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(100 * time.Hour)
		random := seeded(4)
		cases := []any{}
		for range 2 * casesPerFunction {
			cases = append(cases, calculatorCase(t, random))
		}
		write(t, "replica-calculator", cases)
	})
}

func calculatorCase(t *testing.T, random *rand.Rand) []any {
	indexer := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})
	info := metrics.PodMetricsInfo{}
	pods := []any{}
	// Some cases have one common load, so that the edges of the tolerance are met.
	common, isPlain := 1+random.IntN(400), random.IntN(3) == 0
	for i := range random.IntN(8) {
		known := drawHpaPod(random, isPlain, common)
		pods = append(pods, known)
		name := fmt.Sprintf("pod-%d", i)
		if err := indexer.Add(hpaPod(name, known)); err != nil {
			t.Fatal(err)
		}
		if usage := known[6].(int); usage >= 0 {
			at := time.Now().Add(-time.Duration(known[7].(int)) * time.Second)
			info[name] = metrics.PodMetric{Value: int64(usage), Timestamp: at, Window: 30 * time.Second}
		}
	}
	current := max(1, len(pods)+random.IntN(3)-1)
	target := pick(random, 50, 80, 100, 120, 1+random.IntN(200))
	up, down := pick(random, 0.1, 0.1, 0.0, 0.05), pick(random, 0.1, 0.1, 0.0, 0.2)
	tolerances := podautoscaler.Tolerances{}
	setField(&tolerances, "scaleUp", up)
	setField(&tolerances, "scaleDown", down)
	calculator := podautoscaler.NewReplicaCalculator(fakeMetrics{info: info}, corelisters.NewPodLister(indexer), 5*time.Minute, 30*time.Second)
	replicas, utilization, _, _, err := calculator.GetResourceReplicas(context.Background(), int32(current), int32(target), v1.ResourceCPU, tolerances, "default", labels.Everything(), "")
	if err != nil {
		return []any{current, target, up, down, pods, nil, nil}
	}
	return []any{current, target, up, down, pods, replicas, utilization}
}

func drawHpaPod(random *rand.Rand, isPlain bool, usage int) []any {
	if isPlain {
		return []any{v1.PodRunning, 0, 4000, 1, 3900, 200, usage, 10}
	}
	started := pick(random, -1, 10, 29, 31, 299, 300, 301, 1000, 5000)
	ready := pick(random, 1, 1, 1, 1, 0, -1)
	changed := max(0, started-pick(random, 0, 5, 29, 30, 31, random.IntN(200)))
	phase := pick(random, v1.PodRunning, v1.PodRunning, v1.PodRunning, v1.PodRunning, v1.PodRunning, v1.PodPending, v1.PodFailed)
	deleting := pick(random, 0, 0, 0, 0, 0, 0, 1)
	request := pick(random, 100, 200, 250, 333, 1000, 1000, 500, 500, 500, 0)
	if request == 0 {
		request = random.IntN(2) * 150
	}
	load := pick(random, -1, random.IntN(300), random.IntN(1000), random.IntN(2000), random.IntN(600))
	return []any{phase, deleting, started, ready, changed, request, load, random.IntN(60)}
}

func hpaPod(name string, known []any) *v1.Pod {
	ago := func(seconds int) *metav1.Time {
		at := metav1.NewTime(time.Now().Add(-time.Duration(seconds) * time.Second))
		return &at
	}
	pod := &v1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default"}}
	pod.Status.Phase = known[0].(v1.PodPhase)
	if known[1].(int) == 1 {
		pod.DeletionTimestamp = ago(1)
	}
	if started := known[2].(int); started >= 0 {
		pod.Status.StartTime = ago(started)
	}
	if ready := known[3].(int); ready >= 0 {
		status := map[int]v1.ConditionStatus{0: v1.ConditionFalse, 1: v1.ConditionTrue}[ready]
		pod.Status.Conditions = []v1.PodCondition{{Type: v1.PodReady, Status: status, LastTransitionTime: *ago(known[4].(int))}}
	}
	container := v1.Container{Name: "main"}
	if request := known[5].(int); request > 0 {
		container.Resources.Requests = v1.ResourceList{v1.ResourceCPU: *resource.NewMilliQuantity(int64(request), resource.DecimalSI)}
	}
	pod.Spec.Containers = []v1.Container{container}
	return pod
}

// [min, max, first, behavior or null, [[secondsLater, recommended, replicas]...]]: each sync starts from the last answer.
func TestNormalize(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		random := seeded(5)
		cases := []any{}
		for range casesPerFunction {
			cases = append(cases, normalizeCase(random))
		}
		write(t, "normalize", cases)
	})
}

func normalizeCase(random *rand.Rand) []any {
	low := 1 + random.Int32N(3)
	high := low + random.Int32N(60)
	current := low + random.Int32N(high-low+1)
	hpa := &autoscaling.HorizontalPodAutoscaler{}
	hpa.Spec.MinReplicas, hpa.Spec.MaxReplicas = &low, high
	if random.IntN(4) > 0 {
		hpa.Spec.Behavior = &autoscaling.HorizontalPodAutoscalerBehavior{ScaleUp: drawRules(random), ScaleDown: drawRules(random)}
	}
	written := hpa.Spec.Behavior.DeepCopy()
	defaults.SetDefaults_HorizontalPodAutoscaler(hpa)
	controller := &podautoscaler.HorizontalController{}
	for _, name := range []string{"recommendations", "scaleUpEvents", "scaleDownEvents"} {
		setEmptyMap(controller, name)
	}
	setField(controller, "downscaleStabilisationWindow", 5*time.Minute)
	first, steps := current, []any{}
	for range 20 {
		wait := pick(random, 15, 15, 15, 30, 60, random.IntN(200))
		time.Sleep(time.Duration(wait) * time.Second)
		recommended := pick(random, current, current+random.Int32N(5), max(0, current-random.Int32N(5)), random.Int32N(80))
		normalize := normalizeLegacy
		if hpa.Spec.Behavior != nil {
			normalize = normalizeBehavior
		}
		next := normalize(controller, hpa, "default/web", current, recommended, low)
		if next != current {
			storeScaleEvent(controller, hpa.Spec.Behavior, "default/web", current, next)
		}
		current = next
		steps = append(steps, []any{wait, recommended, next})
	}
	return []any{low, high, first, written, steps}
}

func drawRules(random *rand.Rand) *autoscaling.HPAScalingRules {
	if random.IntN(4) == 0 {
		return nil
	}
	rules := &autoscaling.HPAScalingRules{}
	if random.IntN(2) == 0 {
		window := pick[int32](random, 0, 15, 60, 300)
		rules.StabilizationWindowSeconds = &window
	}
	if random.IntN(2) == 0 {
		policy := pick(random, autoscaling.MaxChangePolicySelect, autoscaling.MinChangePolicySelect, autoscaling.DisabledPolicySelect)
		rules.SelectPolicy = &policy
	}
	for range random.IntN(3) {
		rules.Policies = append(rules.Policies, autoscaling.HPAScalingPolicy{
			Type:          pick(random, autoscaling.PodsScalingPolicy, autoscaling.PercentScalingPolicy),
			Value:         1 + random.Int32N(100),
			PeriodSeconds: pick[int32](random, 15, 30, 60, 120),
		})
	}
	return rules
}
