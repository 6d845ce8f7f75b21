package conformance

import (
	"database/sql"
	"errors"
	"net/http"
	"net/url"
	"testing"

	"github.com/dtm-labs/client/dtmcli"
	"github.com/dtm-labs/client/workflow"
	"github.com/go-resty/resty/v2"
)

// transfer is a saga from one account to another: debit and credit behind the barrier, each called twice.
func (d *database) transfer(t *testing.T, p *participant, from, to string, cents int) *dtmcli.Saga {
	t.Helper()
	p.on("debit", often(2, d.behind(from, -cents)))
	p.on("undebit", often(2, d.behind(from, cents)))
	p.on("credit", often(2, d.behind(to, cents)))
	p.on("uncredit", often(2, d.behind(to, -cents)))
	saga := dtmcli.NewSaga(dtm, newGid(t)).
		Add(p.url("debit"), p.url("undebit"), nil).
		Add(p.url("credit"), p.url("uncredit"), nil)
	saga.RetryInterval = 1
	saga.WaitResult = true
	return saga
}

func TestSagaBarrierNormal(t *testing.T) {
	onDatabases(t, func(t *testing.T, d *database) {
		p := newParticipant(t)
		from, to := d.account(t, "from"), d.account(t, "to")
		if err := d.transfer(t, p, from, to, 30).Submit(); err != nil {
			t.Fatalf("submit: %v", err)
		}
		equal(t, "balances", []int{d.cents(t, from), d.cents(t, to)}, []int{70, 130})
	})
}

func TestSagaBarrierRollback(t *testing.T) {
	onDatabases(t, func(t *testing.T, d *database) {
		p := newParticipant(t)
		from, to := d.account(t, "from"), d.account(t, "to")
		saga := d.transfer(t, p, from, to, 30)
		p.on("credit", failure)
		if err := saga.Submit(); err == nil {
			t.Fatal("submit: no error although the credit was refused")
		}
		waitForStatus(t, saga.Gid, dtmcli.StatusFailed)
		equal(t, "calls", p.order(), []string{"debit", "credit", "uncredit", "undebit"})
		equal(t, "balances", []int{d.cents(t, from), d.cents(t, to)}, []int{100, 100})
	})
}

// The saga of TestSagaBarrierNormal over gRPC, to the server and to the participants.
func TestSagaGrpcBarrier(t *testing.T) {
	onDatabases(t, func(t *testing.T, d *database) {
		for outcome, want := range map[string][]int{dtmcli.StatusSucceed: {70, 130}, dtmcli.StatusFailed: {100, 100}} {
			t.Run(outcome, func(t *testing.T) {
				p := newParticipant(t)
				from, to := d.account(t, "from"), d.account(t, "to")
				p.on("a1", often(2, d.behind(from, -30)))
				p.on("c1", often(2, d.behind(from, 30)))
				p.on("a2", often(2, d.behind(to, 30)))
				p.on("c2", often(2, d.behind(to, -30)))
				if outcome == dtmcli.StatusFailed {
					p.on("a2", failure)
				}
				saga := newGrpcSaga(t, p, "1", "2")
				succeeds(t, "submit", saga.Submit())
				waitForStatus(t, saga.Gid, outcome)
				equal(t, "balances", []int{d.cents(t, from), d.cents(t, to)}, want)
			})
		}
	})
}

func TestTccBarrierNormal(t *testing.T) {
	onDatabases(t, func(t *testing.T, d *database) {
		p := newParticipant(t)
		from, to := d.account(t, "from"), d.account(t, "to")
		p.on("try", d.behind(from, -30))
		p.on("confirm", often(2, d.behind(to, 30)))
		gid := newGid(t)
		err := dtmcli.TccGlobalTransaction(dtm, gid, func(tcc *dtmcli.Tcc) (*resty.Response, error) {
			return tcc.CallBranch(nil, p.url("try"), p.url("confirm"), p.url("cancel"))
		})
		if err != nil {
			t.Fatalf("tcc: %v", err)
		}
		waitForStatus(t, gid, dtmcli.StatusSucceed)
		equal(t, "balances", []int{d.cents(t, from), d.cents(t, to)}, []int{70, 130})
	})
}

// A cancel that comes before its try lets nothing of it happen, and the try that comes late neither.
func TestTccBarrierDisorder(t *testing.T) {
	onDatabases(t, func(t *testing.T, d *database) {
		from := d.account(t, "from")
		call := func(op string, cents int) error {
			query := url.Values{"gid": {from}, "branch_id": {"01"}, "trans_type": {"tcc"}, "op": {op}}
			return d.barrier(query).CallWithDB(d.db, func(tx *sql.Tx) error { return move(tx, from, cents) })
		}
		for _, err := range []error{call("cancel", 30), call("try", -30), call("cancel", 30)} {
			if err != nil {
				t.Fatalf("call: %v", err)
			}
		}
		equal(t, "balance", d.cents(t, from), 100)
	})
}

// withQuery answers what Amends asks about a message, out of the barrier's table.
func (d *database) withQuery(p *participant) {
	p.on("query", func(w http.ResponseWriter, r *http.Request) {
		reply(d.barrier(r.URL.Query()).QueryPrepared(d.db))(w, r)
	})
}

func (d *database) message(t *testing.T, p *participant, to string) *dtmcli.Msg {
	t.Helper()
	d.withQuery(p)
	p.on("credit", often(2, d.behind(to, 30)))
	msg := dtmcli.NewMsg(dtm, newGid(t)).Add(p.url("credit"), nil)
	msg.RetryInterval = 1
	msg.TimeoutToFail = 1
	return msg
}

func (d *database) debitIn(from string) func(*dtmcli.BranchBarrier) error {
	return func(barrier *dtmcli.BranchBarrier) error {
		barrier.DBType = d.kind
		return barrier.CallWithDB(d.db, func(tx *sql.Tx) error { return move(tx, from, -30) })
	}
}

func TestMsgBarrierDoAndSubmit(t *testing.T) {
	onDatabases(t, func(t *testing.T, d *database) {
		p := newParticipant(t)
		from, to := d.account(t, "from"), d.account(t, "to")
		msg := d.message(t, p, to)
		if err := msg.DoAndSubmit(p.url("query"), d.debitIn(from)); err != nil {
			t.Fatalf("do and submit: %v", err)
		}
		waitForStatus(t, msg.Gid, dtmcli.StatusSucceed)
		equal(t, "balances", []int{d.cents(t, from), d.cents(t, to)}, []int{70, 130})
	})
}

func TestMsgBarrierBusiFailed(t *testing.T) {
	onDatabases(t, func(t *testing.T, d *database) {
		p := newParticipant(t)
		from, to := d.account(t, "from"), d.account(t, "to")
		msg := d.message(t, p, to)
		err := msg.DoAndSubmit(p.url("query"), func(*dtmcli.BranchBarrier) error { return errors.New("no connection") })
		if err == nil {
			t.Fatal("do and submit: no error although the local transaction failed")
		}
		waitForStatus(t, msg.Gid, dtmcli.StatusFailed)
		equal(t, "balances", []int{d.cents(t, from), d.cents(t, to)}, []int{100, 100})
	})
}

// The application dies between its local transaction and the submit: Amends asks, and delivers.
func TestMsgBarrierCommittedNotSubmitted(t *testing.T) {
	onDatabases(t, func(t *testing.T, d *database) {
		p := newParticipant(t)
		from, to := d.account(t, "from"), d.account(t, "to")
		msg := d.message(t, p, to)
		if err := msg.Prepare(p.url("query")); err != nil {
			t.Fatalf("prepare: %v", err)
		}
		barrier, err := dtmcli.BarrierFrom("msg", msg.Gid, "00", "msg")
		if err != nil {
			t.Fatal(err)
		}
		if err := d.debitIn(from)(barrier); err != nil {
			t.Fatalf("local transaction: %v", err)
		}
		waitForStatus(t, msg.Gid, dtmcli.StatusSucceed)
		equal(t, "balances", []int{d.cents(t, from), d.cents(t, to)}, []int{70, 130})
	})
}

// Amends asks before the local transaction has begun: it is told no, and the local transaction is kept from happening.
func TestMsgBarrierBusiLater(t *testing.T) {
	onDatabases(t, func(t *testing.T, d *database) {
		p := newParticipant(t)
		from, to := d.account(t, "from"), d.account(t, "to")
		msg := d.message(t, p, to)
		if err := msg.Prepare(p.url("query")); err != nil {
			t.Fatalf("prepare: %v", err)
		}
		waitForStatus(t, msg.Gid, dtmcli.StatusFailed)
		barrier, err := dtmcli.BarrierFrom("msg", msg.Gid, "00", "msg")
		if err != nil {
			t.Fatal(err)
		}
		if err := d.debitIn(from)(barrier); !errors.Is(err, dtmcli.ErrDuplicated) {
			t.Fatalf("local transaction: %v, want DUPLICATED", err)
		}
		equal(t, "balances", []int{d.cents(t, from), d.cents(t, to)}, []int{100, 100})
	})
}

// xaBranch plays both phases of a branch in the database's own XA.
func (d *database) xaBranch(account string, cents int) answer {
	return func(w http.ResponseWriter, r *http.Request) {
		reply(dtmcli.XaLocalTransaction(r.URL.Query(), d.conf, func(db *sql.DB, _ *dtmcli.Xa) error {
			return move(db, account, cents)
		}))(w, r)
	}
}

func (d *database) xa(t *testing.T, p *participant, from, to string, cents int) (string, error) {
	t.Helper()
	p.on("debit", d.xaBranch(from, -cents))
	p.on("credit", d.xaBranch(to, cents))
	gid := newGid(t)
	return gid, dtmcli.XaGlobalTransaction(dtm, gid, func(xa *dtmcli.Xa) (*resty.Response, error) {
		if answer, err := xa.CallBranch(nil, p.url("credit")); err != nil {
			return answer, err
		}
		return xa.CallBranch(nil, p.url("debit"))
	})
}

func TestXaDatabaseNormal(t *testing.T) {
	onDatabases(t, func(t *testing.T, d *database) {
		p := newParticipant(t)
		from, to := d.account(t, "from"), d.account(t, "to")
		gid, err := d.xa(t, p, from, to, 30)
		if err != nil {
			t.Fatalf("xa: %v", err)
		}
		waitForStatus(t, gid, dtmcli.StatusSucceed)
		equal(t, "balances", []int{d.cents(t, from), d.cents(t, to)}, []int{70, 130})
	})
}

func TestXaDatabaseRollback(t *testing.T) {
	onDatabases(t, func(t *testing.T, d *database) {
		p := newParticipant(t)
		from, to := d.account(t, "from"), d.account(t, "to")
		gid, err := d.xa(t, p, from, to, 300)
		if err == nil {
			t.Fatal("xa: no error although there was not enough money")
		}
		waitForStatus(t, gid, dtmcli.StatusFailed)
		equal(t, "balances", []int{d.cents(t, from), d.cents(t, to)}, []int{100, 100})
	})
}

// xaWorkflow moves cents in two branches of a workflow, each a local transaction in the database's own XA.
func (d *database) xaWorkflow(from, to string, cents int) func(*workflow.Workflow) error {
	step := func(wf *workflow.Workflow, account string, cents int) error {
		_, err := wf.NewBranch().DoXa(d.conf, func(db *sql.DB) ([]byte, error) { return nil, move(db, account, cents) })
		return err
	}
	return func(wf *workflow.Workflow) error {
		if err := step(wf, to, cents); err != nil {
			return err
		}
		return step(wf, from, -cents)
	}
}

func TestWorkflowXaNormal(t *testing.T) {
	onDatabases(t, func(t *testing.T, d *database) {
		eachFace(t, twoFaces, func(t *testing.T, f face) {
			from, to := d.account(t, "from"), d.account(t, "to")
			transfer := d.xaWorkflow(from, to, 30)
			gid, _ := newWorkflow(t, func(wf *workflow.Workflow, _ int, _ []byte) ([]byte, error) { return nil, transfer(wf) })
			succeeds(t, "execute", workflow.Execute(f.name, gid, nil))
			waitForStatus(t, gid, dtmcli.StatusSucceed)
			equal(t, "balances", []int{d.cents(t, from), d.cents(t, to)}, []int{70, 130})
		})
	})
}

func TestWorkflowXaRollback(t *testing.T) {
	onDatabases(t, func(t *testing.T, d *database) {
		eachFace(t, twoFaces, func(t *testing.T, f face) {
			from, to := d.account(t, "from"), d.account(t, "to")
			transfer := d.xaWorkflow(from, to, 300)
			gid, _ := newWorkflow(t, func(wf *workflow.Workflow, _ int, _ []byte) ([]byte, error) { return nil, transfer(wf) })
			fails(t, "execute", workflow.Execute(f.name, gid, nil), dtmcli.ResultFailure)
			waitForStatus(t, gid, dtmcli.StatusFailed)
			equal(t, "balances", []int{d.cents(t, from), d.cents(t, to)}, []int{100, 100})
		})
	})
}

// The process stops with both branches prepared: the run by which Amends resumes it finds them recorded and commits them.
func TestWorkflowXaResume(t *testing.T) {
	onDatabases(t, func(t *testing.T, d *database) {
		eachFace(t, twoFaces, func(t *testing.T, f face) {
			from, to := d.account(t, "from"), d.account(t, "to")
			transfer := d.xaWorkflow(from, to, 30)
			gid, w := newWorkflow(t, func(wf *workflow.Workflow, turn int, _ []byte) ([]byte, error) {
				err := transfer(wf)
				if err == nil && turn == 1 {
					return nil, errors.New("the process is stopped")
				}
				return nil, err
			})
			fails(t, "execute", workflow.Execute(f.name, gid, nil), "the process is stopped")
			waitForStatus(t, gid, dtmcli.StatusSucceed)
			equal(t, "balances", []int{d.cents(t, from), d.cents(t, to)}, []int{70, 130})
			equal(t, "runs", w.count(), 2)
		})
	})
}
