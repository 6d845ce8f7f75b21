package conformance

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/dtm-labs/client/dtmcli"
	"github.com/dtm-labs/client/dtmcli/dtmimp"
	"github.com/dtm-labs/client/dtmgrpc"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

var timeoutReason = regexp.MustCompile(`^Timeout after [1-9]\d* seconds$`)

// callAll starts branches one after the other until one fails.
func callAll(steps ...string) func(branchCaller) error {
	return func(call branchCaller) error {
		for _, step := range steps {
			if err := call(step); err != nil {
				return err
			}
		}
		return nil
	}
}

func TestTccNormal(t *testing.T) {
	onFaces(t, allFaces, func(t *testing.T, f face) {
		p := newParticipant(t)
		gid := newGid(t)
		succeeds(t, "tcc", f.tcc(p, gid, withDefaults, callAll("1", "2")))
		s := waitForStatus(t, gid, dtmcli.StatusSucceed)
		equal(t, "statuses", s.statuses(), []string{"prepared", "succeed", "prepared", "succeed"})
		equal(t, "ops", []string{s.Branches[0].Op, s.Branches[1].Op}, []string{"cancel", "confirm"})
		equal(t, "calls", p.order(), []string{"try1", "try2", "confirm2", "confirm1"})
		for i, name := range []string{"confirm1", "confirm2"} {
			c := p.to(name)[0]
			equal(t, "query of "+name, []string{c.query.Get("gid"), c.query.Get("branch_id"), c.query.Get("op"), c.query.Get("trans_type")},
				[]string{gid, []string{"01", "02"}[i], "confirm", "tcc"})
			equal(t, "body of "+name, c.body, `{"amount":30}`)
		}
	})
}

func TestTccRollback(t *testing.T) {
	onFaces(t, allFaces, func(t *testing.T, f face) {
		p := newParticipant(t)
		p.on("try2", failure)
		p.on("cancel1", ongoing, success)
		gid := newGid(t)
		fails(t, "tcc", f.tcc(p, gid, withDefaults, callAll("1", "2", "3")), "out of stock")
		waitForStatus(t, gid, dtmcli.StatusAborting)
		s := waitForStatus(t, gid, dtmcli.StatusFailed)
		equal(t, "statuses", s.statuses(), []string{"succeed", "prepared", "succeed", "prepared"})
		contains(t, "reason", s.Transaction.RollbackReason, "out of stock")
		equal(t, "calls", p.order(), []string{"try1", "try2", "cancel2", "cancel1", "cancel1"})
	})
}

func TestTccConfirmIsRetried(t *testing.T) {
	onFaces(t, allFaces, func(t *testing.T, f face) {
		p := newParticipant(t)
		p.on("confirm2", failure, broken, ongoing, success)
		gid := newGid(t)
		succeeds(t, "tcc", f.tcc(p, gid, withDefaults, callAll("1", "2")))
		waitForStatus(t, gid, dtmcli.StatusSucceed)
		equal(t, "calls", p.order(), []string{"try1", "try2", "confirm2", "confirm2", "confirm2", "confirm2", "confirm1"})
	})
}

// The application is too slow: the branches are cancelled, and what it does afterwards is refused.
func TestTccTimeout(t *testing.T) {
	onFaces(t, allFaces, func(t *testing.T, f face) {
		p := newParticipant(t)
		gid := newGid(t)
		err := f.tcc(p, gid, func(base *dtmimp.TransBase) { base.TimeoutToFail = 2 }, func(call branchCaller) error {
			if err := call("1"); err != nil {
				return err
			}
			s := waitForStatus(t, gid, dtmcli.StatusFailed)
			if reason := s.Transaction.RollbackReason; !timeoutReason.MatchString(reason) {
				t.Errorf("reason: %q", reason)
			}
			err := call("2")
			fails(t, "late branch", err, "no trans with gid: "+gid+" status: prepared found FAILURE")
			return nil
		})
		fails(t, "submit", err, "current status 'failed', cannot sumbmit. Timeout after 2 seconds FAILURE")
		equal(t, "calls", p.order(), []string{"try1", "cancel1"})
		equal(t, "statuses", query(t, gid).statuses(), []string{"succeed", "prepared"})
	})
}

func TestTccNested(t *testing.T) {
	onFaces(t, twoFaces, func(t *testing.T, f face) {
		p := newParticipant(t)
		p.on("try2", func(w http.ResponseWriter, r *http.Request) {
			if err := f.nestedBranch(p, r); err != nil {
				respond(http.StatusInternalServerError, err.Error())(w, r)
				return
			}
			success(w, r)
		})
		gid := newGid(t)
		succeeds(t, "tcc", f.tcc(p, gid, withDefaults, callAll("1", "2")))
		s := waitForStatus(t, gid, dtmcli.StatusSucceed)
		equal(t, "statuses", s.statuses(), []string{"prepared", "succeed", "prepared", "succeed", "prepared", "succeed"})
		ids := []string{}
		for _, b := range s.Branches {
			ids = append(ids, b.BranchID)
		}
		equal(t, "branch ids", ids, []string{"01", "01", "02", "02", "0201", "0201"})
		equal(t, "calls", p.order(), []string{"try1", "try2", "try3", "confirm3", "confirm2", "confirm1"})
	})
}

// nestedBranch starts a branch of the branch that a request calls.
func (f face) nestedBranch(p *participant, r *http.Request) error {
	try, confirm, cancel := f.url(p, "try3"), f.url(p, "confirm3"), f.url(p, "cancel3")
	if f.name == "grpc" {
		base := *dtmimp.TransBaseFromQuery(r.URL.Query())
		tcc := &dtmgrpc.TccGrpc{TransBase: base}
		return tcc.CallBranch(wrapperspb.String(`{}`), try, confirm, cancel, &emptypb.Empty{})
	}
	tcc, err := dtmcli.TccFromQuery(r.URL.Query())
	if err != nil {
		return err
	}
	_, err = tcc.CallBranch(payload{}, try, confirm, cancel)
	return err
}

func TestTccHeaders(t *testing.T) {
	onFaces(t, allFaces, func(t *testing.T, f face) {
		p := newParticipant(t)
		gid := newGid(t)
		custom := func(base *dtmimp.TransBase) { base.BranchHeaders = map[string]string{"X-Tenant": "north"} }
		succeeds(t, "tcc", f.tcc(p, gid, custom, callAll("1")))
		waitForStatus(t, gid, dtmcli.StatusSucceed)
		for _, name := range []string{"try1", "confirm1"} {
			equal(t, "header of "+name, p.to(name)[0].header.Get("X-Tenant"), "north")
		}
	})
}

func TestTccPanic(t *testing.T) {
	onFaces(t, []face{overHTTP, overJSONRPC}, func(t *testing.T, f face) {
		p := newParticipant(t)
		gid := newGid(t)
		err := dtmimp.CatchP(func() {
			_ = f.tcc(p, gid, withDefaults, func(call branchCaller) error {
				if err := call("1"); err != nil {
					return err
				}
				panic(errors.New("a nil pointer"))
			})
		})
		fails(t, "tcc", err, "a nil pointer")
		s := waitForStatus(t, gid, dtmcli.StatusFailed)
		contains(t, "reason", s.Transaction.RollbackReason, "a nil pointer")
		equal(t, "calls", p.order(), []string{"try1", "cancel1"})
	})
}

// DTM answers a second submit by taking the transaction for finished, without any confirm.
func TestTccDuplicateSubmitConfirmsOnce(t *testing.T) {
	onFaces(t, allFaces, func(t *testing.T, f face) {
		p := newParticipant(t)
		p.on("confirm1", ongoing)
		gid := newGid(t)
		var base dtmimp.TransBase
		custom := func(given *dtmimp.TransBase) { base = *given }
		succeeds(t, "tcc", f.tcc(p, gid, func(given *dtmimp.TransBase) { custom(given) }, callAll("1", "2")))
		p.waitForCalls(t, "confirm1", 1)
		for i := 0; i < 3; i++ {
			succeeds(t, "submit again", f.callDtm(&base, "submit"))
		}
		equal(t, "status meanwhile", query(t, gid).Transaction.Status, dtmcli.StatusSubmitted)
		p.on("confirm1", success)
		s := waitForStatus(t, gid, dtmcli.StatusSucceed)
		equal(t, "statuses", s.statuses(), []string{"prepared", "succeed", "prepared", "succeed"})
		equal(t, "confirms of the second branch", len(p.to("confirm2")), 1)
		succeeds(t, "submit after the end", f.callDtm(&base, "submit"))
		fails(t, "abort after the end", f.callDtm(&base, "abort"), "current status 'succeed', cannot abort. FAILURE")
	})
}

func TestTccAbortTwice(t *testing.T) {
	onFaces(t, allFaces, func(t *testing.T, f face) {
		p := newParticipant(t)
		p.on("try1", failure)
		p.on("cancel1", ongoing)
		gid := newGid(t)
		var base dtmimp.TransBase
		_ = f.tcc(p, gid, func(given *dtmimp.TransBase) { base = *given }, callAll("1"))
		p.waitForCalls(t, "cancel1", 1)
		succeeds(t, "abort again", f.callDtm(&base, "abort"))
		fails(t, "submit", f.callDtm(&base, "submit"), "current status 'aborting', cannot sumbmit.")
		p.on("cancel1", success)
		waitForStatus(t, gid, dtmcli.StatusFailed)
	})
}

// A client that repeats a registration whose answer was lost is no reason to roll back; DTM answers 500.
func TestTccRegisterBranchTwice(t *testing.T) {
	onFaces(t, allFaces, func(t *testing.T, f face) {
		p := newParticipant(t)
		base := dtmimp.NewTransBase(newGid(t), "tcc", f.server, "")
		base.Protocol = f.protocol
		succeeds(t, "prepare", f.callDtm(base, "prepare"))
		keys := map[string]string{"branch_id": "01", "data": `{"amount":30}`, "confirm": f.url(p, "confirm1"), "cancel": f.url(p, "cancel1")}
		succeeds(t, "register", f.register(base, keys))
		succeeds(t, "register again", f.register(base, keys))
		other := map[string]string{"branch_id": "01", "data": `{"amount":31}`, "confirm": f.url(p, "confirm1"), "cancel": f.url(p, "cancel1")}
		if err := f.register(base, other); err == nil {
			t.Errorf("other content under the same branch id was taken")
		}
		equal(t, "rows", query(t, base.Gid).statuses(), []string{"prepared", "prepared"})
		succeeds(t, "submit", f.callDtm(base, "submit"))
		waitForStatus(t, base.Gid, dtmcli.StatusSucceed)
		equal(t, "calls", p.order(), []string{"confirm1"})
		equal(t, "body", p.to("confirm1")[0].body != "", true)
	})
}

func TestTccRegisterBranchRefused(t *testing.T) {
	onFaces(t, allFaces, func(t *testing.T, f face) {
		keys := map[string]string{"branch_id": "01", "data": "{}", "confirm": "http://127.0.0.1:9/c", "cancel": "http://127.0.0.1:9/c"}
		base := dtmimp.NewTransBase(newGid(t), "tcc", f.server, "")
		base.Protocol = f.protocol
		fails(t, "register with an unknown gid", f.register(base, keys), "no trans with gid: "+base.Gid+" status: prepared found FAILURE")
	})
}

func TestTccEmptyURLs(t *testing.T) {
	onFaces(t, allFaces, func(t *testing.T, f face) {
		p := newParticipant(t)
		base := dtmimp.NewTransBase(newGid(t), "tcc", f.server, "")
		base.Protocol = f.protocol
		succeeds(t, "prepare", f.callDtm(base, "prepare"))
		succeeds(t, "register", f.register(base, map[string]string{"branch_id": "01", "data": "{}", "confirm": "", "cancel": ""}))
		succeeds(t, "submit", f.callDtm(base, "submit"))
		s := waitForStatus(t, base.Gid, dtmcli.StatusSucceed)
		equal(t, "statuses", s.statuses(), []string{"prepared", "succeed"})
		equal(t, "calls", p.order(), []string{})
	})
}

// A confirm that takes longer than the retry interval is called once; DTM's lease would end, and a second call begin.
func TestTccLongConfirmIsCalledOnce(t *testing.T) {
	onFaces(t, allFaces, func(t *testing.T, f face) {
		p := newParticipant(t)
		p.on("confirm1", late(4*time.Second, success))
		gid := newGid(t)
		custom := func(base *dtmimp.TransBase) { base.RequestTimeout = 10 }
		succeeds(t, "tcc", f.tcc(p, gid, custom, callAll("1")))
		waitForStatus(t, gid, dtmcli.StatusSucceed)
		equal(t, "calls", p.order(), []string{"try1", "confirm1"})
	})
}

func TestTccWaitResult(t *testing.T) {
	onFaces(t, allFaces, func(t *testing.T, f face) {
		custom := func(base *dtmimp.TransBase) { base.WaitResult = true }
		t.Run("success", func(t *testing.T) {
			t.Parallel()
			p := newParticipant(t)
			gid := newGid(t)
			succeeds(t, "tcc", f.tcc(p, gid, custom, callAll("1", "2")))
			equal(t, "status when it returns", query(t, gid).Transaction.Status, dtmcli.StatusSucceed)
		})
		t.Run("ongoing", func(t *testing.T) {
			t.Parallel()
			p := newParticipant(t)
			p.on("confirm1", ongoing, ongoing, success)
			gid := newGid(t)
			fails(t, "tcc", f.tcc(p, gid, custom, callAll("1")), "ONGOING")
			waitForStatus(t, gid, dtmcli.StatusSucceed)
		})
	})
}

func TestTccNotConnected(t *testing.T) {
	t.Parallel()
	err := dtmcli.TccGlobalTransaction("http://127.0.0.1:9/api/dtmsvr", "conformance-not-connected", nil)
	fails(t, "tcc", err, "127.0.0.1:9")
}

func TestTccManyBranches(t *testing.T) {
	onFaces(t, []face{overHTTP}, func(t *testing.T, f face) {
		p := newParticipant(t)
		gid := newGid(t)
		steps := []string{}
		for i := 0; i < 30; i++ {
			steps = append(steps, fmt.Sprint(i))
		}
		succeeds(t, "tcc", f.tcc(p, gid, withDefaults, callAll(steps...)))
		waitForStatus(t, gid, dtmcli.StatusSucceed)
		confirms := []string{}
		for _, name := range p.order() {
			if strings.HasPrefix(name, "confirm") {
				confirms = append([]string{strings.TrimPrefix(name, "confirm")}, confirms...)
			}
		}
		equal(t, "confirms, last first", confirms, steps)
	})
}
