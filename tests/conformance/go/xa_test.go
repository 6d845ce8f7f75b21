package conformance

import (
	"net/http"
	"testing"

	"github.com/dtm-labs/client/dtmcli"
	"github.com/dtm-labs/client/dtmcli/dtmimp"
)

// newXaParticipant is a participant whose branches x1 and x2 register themselves in phase one.
func newXaParticipant(t *testing.T, f face) *participant {
	p := newParticipant(t)
	for _, name := range []string{"x1", "x2"} {
		p.on(name+":action", f.xaBranch(p, success))
	}
	return p
}

func TestXaNormal(t *testing.T) {
	onFaces(t, twoFaces, func(t *testing.T, f face) {
		p := newXaParticipant(t, f)
		gid := newGid(t)
		succeeds(t, "xa", f.xa(p, gid, withDefaults, callAll("x1", "x2")))
		s := waitForStatus(t, gid, dtmcli.StatusSucceed)
		equal(t, "statuses", s.statuses(), []string{"prepared", "succeed", "prepared", "succeed"})
		ops := []string{}
		for _, b := range s.Branches {
			ops = append(ops, b.BranchID+":"+b.Op)
			equal(t, "url of "+b.BranchID, b.URL, f.url(p, "x"+b.BranchID[1:]))
		}
		equal(t, "rows", ops, []string{"01:rollback", "01:commit", "02:rollback", "02:commit"})
		equal(t, "calls", p.ops(), []string{"x1:action", "x2:action", "x1:commit", "x2:commit"})
		commit := p.to("x1")[1]
		equal(t, "method", commit.method, http.MethodPost)
		equal(t, "body", commit.body, "")
		equal(t, "query", []string{commit.query.Get("gid"), commit.query.Get("branch_id"), commit.query.Get("trans_type")}, []string{gid, "01", "xa"})
	})
}

func TestXaRollback(t *testing.T) {
	onFaces(t, twoFaces, func(t *testing.T, f face) {
		p := newXaParticipant(t, f)
		p.on("x2:action", failure)
		p.on("x1:rollback", broken, success)
		gid := newGid(t)
		fails(t, "xa", f.xa(p, gid, withDefaults, callAll("x1", "x2")), "out of stock")
		s := waitForStatus(t, gid, dtmcli.StatusFailed)
		equal(t, "statuses", s.statuses(), []string{"succeed", "prepared"})
		equal(t, "calls", p.ops(), []string{"x1:action", "x2:action", "x1:rollback", "x1:rollback"})
	})
}

// The branch is registered, then its first phase fails.
func TestXaLocalError(t *testing.T) {
	onFaces(t, twoFaces, func(t *testing.T, f face) {
		p := newXaParticipant(t, f)
		p.on("x2:action", f.xaBranch(p, broken))
		gid := newGid(t)
		fails(t, "xa", f.xa(p, gid, withDefaults, callAll("x1", "x2")), "database is away")
		s := waitForStatus(t, gid, dtmcli.StatusFailed)
		equal(t, "statuses", s.statuses(), []string{"succeed", "prepared", "succeed", "prepared"})
		equal(t, "calls", p.ops(), []string{"x1:action", "x2:action", "x1:rollback", "x2:rollback"})
	})
}

func TestXaTimeout(t *testing.T) {
	onFaces(t, twoFaces, func(t *testing.T, f face) {
		p := newXaParticipant(t, f)
		gid := newGid(t)
		err := f.xa(p, gid, func(base *dtmimp.TransBase) { base.TimeoutToFail = 2 }, func(call branchCaller) error {
			if err := call("x1"); err != nil {
				return err
			}
			s := waitForStatus(t, gid, dtmcli.StatusFailed)
			if reason := s.Transaction.RollbackReason; !timeoutReason.MatchString(reason) {
				t.Errorf("reason: %q", reason)
			}
			if err := call("x2"); err == nil {
				t.Errorf("a branch after the end was taken")
			}
			return nil
		})
		fails(t, "submit", err, "current status 'failed', cannot sumbmit. Timeout after 2 seconds FAILURE")
		equal(t, "calls", p.ops(), []string{"x1:action", "x1:rollback", "x2:action"})
	})
}

func TestXaCommitOngoing(t *testing.T) {
	onFaces(t, twoFaces, func(t *testing.T, f face) {
		p := newXaParticipant(t, f)
		p.on("x1:commit", ongoing, failure, broken, success)
		gid := newGid(t)
		succeeds(t, "xa", f.xa(p, gid, withDefaults, callAll("x1", "x2")))
		s := waitForStatus(t, gid, dtmcli.StatusSucceed)
		equal(t, "statuses", s.statuses(), []string{"prepared", "succeed", "prepared", "succeed"})
		equal(t, "calls", p.ops(), []string{"x1:action", "x2:action", "x1:commit", "x1:commit", "x1:commit", "x1:commit", "x2:commit"})
	})
}

// DTM answers a second submit by taking the transaction for finished, without any commit.
func TestXaDuplicateSubmitCommitsOnce(t *testing.T) {
	onFaces(t, twoFaces, func(t *testing.T, f face) {
		p := newXaParticipant(t, f)
		p.on("x1:commit", ongoing)
		gid := newGid(t)
		var base dtmimp.TransBase
		succeeds(t, "xa", f.xa(p, gid, func(given *dtmimp.TransBase) { base = *given }, callAll("x1", "x2")))
		waitFor(t, "the first commit", func() bool { return len(p.to("x1")) >= 2 })
		succeeds(t, "submit again", f.callDtm(&base, "submit"))
		equal(t, "status meanwhile", query(t, gid).Transaction.Status, dtmcli.StatusSubmitted)
		p.on("x1:commit", success)
		s := waitForStatus(t, gid, dtmcli.StatusSucceed)
		equal(t, "statuses", s.statuses(), []string{"prepared", "succeed", "prepared", "succeed"})
		equal(t, "calls of the second branch", len(p.to("x2")), 2)
	})
}

func TestXaWithoutBranches(t *testing.T) {
	onFaces(t, twoFaces, func(t *testing.T, f face) {
		p := newXaParticipant(t, f)
		gid := newGid(t)
		succeeds(t, "xa", f.xa(p, gid, withDefaults, callAll()))
		s := waitForStatus(t, gid, dtmcli.StatusSucceed)
		equal(t, "statuses", s.statuses(), []string{})
	})
}

func TestXaHeaders(t *testing.T) {
	onFaces(t, twoFaces, func(t *testing.T, f face) {
		p := newXaParticipant(t, f)
		gid := newGid(t)
		custom := func(base *dtmimp.TransBase) { base.BranchHeaders = map[string]string{"X-Tenant": "north"} }
		succeeds(t, "xa", f.xa(p, gid, custom, callAll("x1")))
		waitForStatus(t, gid, dtmcli.StatusSucceed)
		for _, c := range p.to("x1") {
			equal(t, "header at "+c.query.Get("op"), c.header.Get("X-Tenant"), "north")
		}
	})
}
