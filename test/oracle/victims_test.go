package oracle

import (
	"fmt"
	"math/rand/v2"
	"sort"
	"strconv"
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/kubernetes/pkg/controller"
)

// [[uid, node or -1, phase, readyFor or -1, age, deletionCost, restarts] for each pod, in the order of deletion];
// times in seconds before now. Only sets of pods that Less orders fully: then every sort agrees.
func TestVictims(t *testing.T) {
	random := seeded(3)
	cases := []any{}
	now := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	for len(cases) < casesPerFunction {
		fields := map[types.UID][]any{}
		onNode := map[string]int{}
		ranks := []int{}
		pods := []*v1.Pod{}
		for i := range 2 + random.IntN(5) {
			pod, known := drawPod(random, i, now)
			onNode[pod.Spec.NodeName]++
			fields[pod.UID] = known
			pods = append(pods, pod)
		}
		for _, pod := range pods {
			ranks = append(ranks, onNode[pod.Spec.NodeName])
		}
		ranked := controller.ActivePodsWithRanks{Pods: pods, Rank: ranks, Now: metav1.NewTime(now)}
		sort.Sort(ranked)
		if !isOrdered(ranked) {
			continue
		}
		order := []any{}
		for _, pod := range pods {
			order = append(order, fields[pod.UID])
		}
		cases = append(cases, order)
	}
	write(t, "victims", cases)
}

func isOrdered(ranked controller.ActivePodsWithRanks) bool {
	for i := range ranked.Pods {
		for j := range i {
			if !ranked.Less(j, i) || ranked.Less(i, j) {
				return false
			}
		}
	}
	return true
}

func drawPod(random *rand.Rand, index int, now time.Time) (*v1.Pod, []any) {
	uid := fmt.Sprintf("%04x-%d", random.IntN(1<<16), index)
	node := random.IntN(5) - 1
	phase := pick(random, v1.PodRunning, v1.PodRunning, v1.PodRunning, v1.PodPending, v1.PodUnknown)
	age := pick(random, 5, 34, 35, 68, 69, 137, 274, 275, 1000, random.IntN(5000))
	readyFor := -1
	if random.IntN(4) > 0 && phase == v1.PodRunning && node >= 0 {
		readyFor = min(age, pick(random, 3, 34, 35, 60, random.IntN(5000)))
	}
	cost := pick(random, 0, 0, 0, -5, 7)
	restarts := pick(random, 0, 0, 1, 4)
	pod := &v1.Pod{}
	pod.UID = types.UID(uid)
	pod.CreationTimestamp = metav1.NewTime(now.Add(-time.Duration(age) * time.Second))
	pod.Annotations = map[string]string{"controller.kubernetes.io/pod-deletion-cost": strconv.Itoa(cost)}
	pod.Status.Phase = phase
	pod.Status.ContainerStatuses = []v1.ContainerStatus{{RestartCount: int32(restarts)}}
	if node >= 0 {
		pod.Spec.NodeName = fmt.Sprintf("node-%d", node)
	}
	if readyFor >= 0 {
		pod.Status.Conditions = []v1.PodCondition{{
			Type: v1.PodReady, Status: v1.ConditionTrue,
			LastTransitionTime: metav1.NewTime(now.Add(-time.Duration(readyFor) * time.Second)),
		}}
	}
	return pod, []any{uid, node, phase, readyFor, age, cost, restarts}
}
