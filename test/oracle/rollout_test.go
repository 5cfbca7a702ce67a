package oracle

import (
	"fmt"
	"testing"

	apps "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/kubernetes/pkg/controller/deployment/util"
)

// [maxSurge, maxUnavailable, desired, surge, unavailable]
func TestFenceposts(t *testing.T) {
	random := seeded(1)
	cases := []any{}
	for range casesPerFunction {
		desired := random.Int32N(60)
		surge, unavailable := drawShare(random.Int32N(101), random.IntN(2)), drawShare(random.Int32N(101), random.IntN(2))
		gotSurge, gotUnavailable, err := util.ResolveFenceposts(&surge, &unavailable, desired)
		if err != nil {
			t.Fatal(err)
		}
		cases = append(cases, []any{surge, unavailable, desired, gotSurge, gotUnavailable})
	}
	write(t, "fenceposts", cases)
}

// [maxSurge, desired, newReplicas, oldReplicas, answer]
func TestNewReplicas(t *testing.T) {
	random := seeded(2)
	cases := []any{}
	for range casesPerFunction {
		desired := 1 + random.Int32N(40)
		surge := drawShare(random.Int32N(101), random.IntN(2))
		current, old := random.Int32N(desired+1), random.Int32N(2*desired)
		sets := []*apps.ReplicaSet{sized(current), sized(old)}
		deployment := &apps.Deployment{Spec: apps.DeploymentSpec{Replicas: &desired, Strategy: apps.DeploymentStrategy{
			Type:          apps.RollingUpdateDeploymentStrategyType,
			RollingUpdate: &apps.RollingUpdateDeployment{MaxSurge: &surge},
		}}}
		answer, err := util.NewRSNewReplicas(deployment, sets, sets[0])
		if err != nil {
			t.Fatal(err)
		}
		cases = append(cases, []any{surge, desired, current, old, answer})
	}
	write(t, "new-replicas", cases)
}

func drawShare(amount int32, isPercent int) intstr.IntOrString {
	if isPercent == 1 {
		return intstr.FromString(fmt.Sprintf("%d%%", amount))
	}
	return intstr.FromInt32(amount % 12)
}

func sized(replicas int32) *apps.ReplicaSet {
	return &apps.ReplicaSet{Spec: apps.ReplicaSetSpec{Replicas: &replicas}}
}
