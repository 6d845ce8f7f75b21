package conformance

import (
	"testing"
	"time"

	"github.com/dtm-labs/client/dtmcli"
)

func TestSagaConcurrentNormal(t *testing.T) {
	t.Parallel()
	p := newParticipant(t)
	overlap := meeting(2)
	p.on("a1", overlap)
	p.on("a2", overlap)
	saga := newSaga(t, p, "1", "2").SetConcurrent()
	submit(t, saga)
	s := waitForStatus(t, saga.Gid, dtmcli.StatusSucceed)
	equal(t, "statuses", s.statuses(), []string{"prepared", "succeed", "prepared", "succeed"})
	equal(t, "number of calls", len(p.order()), 2)
}

func TestSagaConcurrentRollback(t *testing.T) {
	t.Parallel()
	p := newParticipant(t)
	p.on("a1", failure)
	p.on("a2", late(500*time.Millisecond, success))
	p.on("c1", ongoing, success)
	saga := newSaga(t, p, "1", "2").SetConcurrent()
	submit(t, saga)
	waitForStatus(t, saga.Gid, dtmcli.StatusAborting)
	s := waitForStatus(t, saga.Gid, dtmcli.StatusFailed)
	equal(t, "statuses", s.statuses(), []string{"succeed", "failed", "succeed", "succeed"})
	contains(t, "reason", s.Transaction.RollbackReason, "out of stock")
	equal(t, "compensations of step 1", len(p.to("c1")), 2)
	equal(t, "compensations of step 2", len(p.to("c2")), 1)
	notBefore(t, p, "c2", "a2")
}

func TestSagaConcurrentOngoing(t *testing.T) {
	t.Parallel()
	p := newParticipant(t)
	p.on("a1", ongoing)
	saga := newSaga(t, p, "1", "2").SetConcurrent()
	submit(t, saga)
	waitFor(t, "the success of step 2", func() bool { return query(t, saga.Gid).statuses()[3] == "succeed" })
	s := query(t, saga.Gid)
	equal(t, "status", s.Transaction.Status, dtmcli.StatusSubmitted)
	equal(t, "statuses", s.statuses(), []string{"prepared", "prepared", "prepared", "succeed"})
	p.on("a1", success)
	s = waitForStatus(t, saga.Gid, dtmcli.StatusSucceed)
	equal(t, "statuses", s.statuses(), []string{"prepared", "succeed", "prepared", "succeed"})
	equal(t, "calls of step 2", len(p.to("a2")), 1)
}

func TestSagaOrderNormal(t *testing.T) {
	t.Parallel()
	p := newParticipant(t)
	overlap := meeting(2)
	p.on("a1", late(200*time.Millisecond, success))
	p.on("a2", overlap)
	p.on("a3", overlap)
	saga := newSaga(t, p, "1", "2", "3", "4").SetConcurrent()
	saga.AddBranchOrder(1, []int{0}).AddBranchOrder(2, []int{0}).AddBranchOrder(3, []int{1, 2})
	submit(t, saga)
	waitForStatus(t, saga.Gid, dtmcli.StatusSucceed)
	order := p.order()
	equal(t, "number of calls", len(order), 4)
	equal(t, "first call", order[0], "a1")
	equal(t, "last call", order[3], "a4")
	notBefore(t, p, "a2", "a1")
	notBefore(t, p, "a3", "a1")
	notBefore(t, p, "a4", "a2")
	notBefore(t, p, "a4", "a3")
}

func TestSagaOrderRollback(t *testing.T) {
	t.Parallel()
	t.Run("first step fails", func(t *testing.T) {
		t.Parallel()
		p := newParticipant(t)
		p.on("a1", failure)
		saga := newSaga(t, p, "1", "2").SetConcurrent().AddBranchOrder(1, []int{0})
		submit(t, saga)
		s := waitForStatus(t, saga.Gid, dtmcli.StatusFailed)
		equal(t, "statuses", s.statuses(), []string{"succeed", "failed", "prepared", "prepared"})
		equal(t, "calls", p.order(), []string{"a1", "c1"})
	})
	t.Run("second step fails", func(t *testing.T) {
		t.Parallel()
		p := newParticipant(t)
		p.on("a2", failure)
		saga := newSaga(t, p, "1", "2").SetConcurrent().AddBranchOrder(1, []int{0})
		submit(t, saga)
		s := waitForStatus(t, saga.Gid, dtmcli.StatusFailed)
		equal(t, "statuses", s.statuses(), []string{"succeed", "succeed", "succeed", "failed"})
		equal(t, "calls", p.order(), []string{"a1", "a2", "c2", "c1"})
	})
}

// notBefore reports a call that came before another one, to a step called once, had been answered.
func notBefore(t *testing.T, p *participant, later string, earlier string) {
	t.Helper()
	if p.to(later)[0].arrived.Before(p.to(earlier)[0].answered) {
		t.Errorf("%s was called before %s had answered", later, earlier)
	}
}
