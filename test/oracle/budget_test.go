package oracle

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
	_ "unsafe"

	apps "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	policy "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/kubernetes/pkg/controller/disruption"
	clocktesting "k8s.io/utils/clock/testing"
)

//go:linkname syncBudget k8s.io/kubernetes/pkg/controller/disruption.(*DisruptionController).sync
func syncBudget(controller *disruption.DisruptionController, ctx context.Context, key string) error

const namespace = "default"

// [minAvailable or null, maxUnavailable or null, [replicas of each ReplicaSet...], [pod...],
// [expectedPods, desiredHealthy, currentHealthy, disruptionsAllowed]].
// A pod: [its ReplicaSet or -1, selected, ready, deleting, seconds since its eviction was allowed or -1].
func TestBudgets(t *testing.T) {
	random := seeded(6)
	cases := []any{}
	for range 2 * casesPerFunction {
		cases = append(cases, budgetCase(t, random))
	}
	write(t, "budgets", cases)
}

func budgetCase(t *testing.T, random *rand.Rand) []any {
	now := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	budget := &policy.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: namespace}}
	budget.Spec.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}}
	budget.Status.DisruptedPods = map[string]metav1.Time{}
	limit := drawShare(random.Int32N(101), random.IntN(2))
	if random.IntN(2) == 0 {
		budget.Spec.MinAvailable = &limit
	} else {
		budget.Spec.MaxUnavailable = &limit
	}
	replicas, pods, known := []int32{}, []*v1.Pod{}, []any{}
	for range random.IntN(4) {
		replicas = append(replicas, random.Int32N(9))
	}
	isHealthy := random.IntN(2) == 0
	for i := range random.IntN(13) {
		// Mostly a pod of a set: bare ones are not counted by shares.
		owner := pick(random, -1, random.IntN(len(replicas)+1)-1, random.IntN(len(replicas)+1)-1)
		selected, ready, deleting := pick(random, 1, 1, 1, 0), pick(random, 1, 1, 1, 0), pick(random, 0, 0, 0, 0, 1)
		evicted := pick(random, -1, -1, -1, -1, 0, 1, 119, 120, 121, 500)
		if isHealthy {
			selected, ready, deleting, evicted = 1, 1, 0, -1
		}
		known = append(known, []any{owner, selected, ready, deleting, evicted})
		pod := budgetPod(fmt.Sprintf("pod-%d", i), owner, selected, ready)
		if deleting == 1 {
			pod.DeletionTimestamp = &metav1.Time{Time: now}
		}
		if evicted >= 0 {
			budget.Status.DisruptedPods[pod.Name] = metav1.NewTime(now.Add(-time.Duration(evicted) * time.Second))
		}
		pods = append(pods, pod)
	}
	status := budgetStatus(t, budget, replicas, pods, now)
	return []any{budget.Spec.MinAvailable, budget.Spec.MaxUnavailable, replicas, known,
		[]any{status.ExpectedPods, status.DesiredHealthy, status.CurrentHealthy, status.DisruptionsAllowed}}
}

func budgetPod(name string, owner, selected, ready int) *v1.Pod {
	pod := &v1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace, Labels: map[string]string{"app": "other"}}}
	if selected == 1 {
		pod.Labels["app"] = "web"
	}
	if ready == 1 {
		pod.Status.Conditions = []v1.PodCondition{{Type: v1.PodReady, Status: v1.ConditionTrue}}
	}
	if owner >= 0 {
		set := replicaSet(owner, 0)
		pod.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(set, apps.SchemeGroupVersion.WithKind("ReplicaSet"))}
	}
	return pod
}

func replicaSet(index int, replicas int32) *apps.ReplicaSet {
	name := fmt.Sprintf("set-%d", index)
	meta := metav1.ObjectMeta{Name: name, Namespace: namespace, UID: types.UID(name)}
	return &apps.ReplicaSet{ObjectMeta: meta, Spec: apps.ReplicaSetSpec{Replicas: &replicas}}
}

// One sync of the real controller: its listers hold the objects, a fake client takes the status that it writes.
func budgetStatus(t *testing.T, budget *policy.PodDisruptionBudget, replicas []int32, pods []*v1.Pod, now time.Time) policy.PodDisruptionBudgetStatus {
	ctx := context.Background()
	client := fake.NewSimpleClientset(budget)
	factory := informers.NewSharedInformerFactory(client, 0)
	core, sets, budgets := factory.Core().V1(), factory.Apps().V1(), factory.Policy().V1().PodDisruptionBudgets()
	controller := disruption.NewDisruptionControllerInternal(ctx, core.Pods(), budgets, core.ReplicationControllers(),
		sets.ReplicaSets(), sets.Deployments(), sets.StatefulSets(), client, nil, nil, client.Discovery(),
		clocktesting.NewFakeClock(now), 2*time.Minute)
	add := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	add(budgets.Informer().GetStore().Add(budget))
	for _, pod := range pods {
		add(core.Pods().Informer().GetStore().Add(pod))
	}
	for i, count := range replicas {
		add(sets.ReplicaSets().Informer().GetStore().Add(replicaSet(i, count)))
	}
	add(syncBudget(controller, ctx, namespace+"/web"))
	written, err := client.PolicyV1().PodDisruptionBudgets(namespace).Get(ctx, "web", metav1.GetOptions{})
	add(err)
	return written.Status
}
