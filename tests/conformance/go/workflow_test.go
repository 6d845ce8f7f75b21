package conformance

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/dtm-labs/client/dtmcli"
	"github.com/dtm-labs/client/dtmcli/dtmimp"
	"github.com/dtm-labs/client/workflow"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// workflowRun is the function of one workflow and what became of its runs.
type workflowRun struct {
	run func(wf *workflow.Workflow, turn int, input []byte) ([]byte, error)

	mu     sync.Mutex
	turns  int
	errors []error
}

// workflowRuns holds a *workflowRun for each gid.
var workflowRuns sync.Map

// startWorkflows registers one workflow for each face, because the client's registry is one map without lock, and the
// servers by which Amends resumes them. It is called before the tests.
func startWorkflows() error {
	resumed := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		status, said := dtmcli.Result2HttpJSON(workflow.ExecuteByQS(r.URL.Query(), body))
		w.WriteHeader(status)
		_, _ = fmt.Fprint(w, said)
	}))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	workflow.InitGrpc(amendsGrpc, listener.Addr().String(), server)
	go func() { _ = server.Serve(listener) }()
	for _, f := range twoFaces {
		f := f
		custom := func(wf *workflow.Workflow) {
			wf.RetryInterval = 1
			if f.name == "http" {
				wf.Protocol, wf.Dtm, wf.QueryPrepared = dtmimp.ProtocolHTTP, dtm, resumed.URL
			}
		}
		if err := workflow.Register2(f.name, runWorkflow, custom); err != nil {
			return err
		}
	}
	return nil
}

func runWorkflow(wf *workflow.Workflow, input []byte) ([]byte, error) {
	found, ok := workflowRuns.Load(wf.Gid)
	if !ok {
		return nil, fmt.Errorf("no test runs the workflow %s", wf.Gid)
	}
	w := found.(*workflowRun)
	w.mu.Lock()
	w.turns++
	turn := w.turns
	w.mu.Unlock()
	result, err := w.run(wf, turn, input)
	w.mu.Lock()
	w.errors = append(w.errors, err)
	w.mu.Unlock()
	return result, err
}

// count is how often the function has been started.
func (w *workflowRun) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.turns
}

// newWorkflow gives a workflow its function; execute starts or resumes it.
func newWorkflow(t *testing.T, run func(wf *workflow.Workflow, turn int, input []byte) ([]byte, error)) (string, *workflowRun) {
	t.Helper()
	gid := newGid(t)
	w := &workflowRun{run: run}
	workflowRuns.Store(gid, w)
	return gid, w
}

// request calls a participant in a branch of its own, recorded by the client.
func request(wf *workflow.Workflow, url string) error {
	_, err := wf.NewBranch().NewRequest().SetBody(payload{Amount: 30}).Post(url)
	return err
}

// rollbackBy calls a participant when the workflow rolls back. To be called after NewBranch.
func rollbackBy(wf *workflow.Workflow, url string) *workflow.Workflow {
	return wf.OnRollback(func(*dtmcli.BranchBarrier) error {
		_, err := wf.NewRequest().SetBody(payload{Amount: 30}).Post(url)
		return err
	})
}

func TestWorkflowNormal(t *testing.T) {
	onFaces(t, twoFaces, func(t *testing.T, f face) {
		p := newParticipant(t)
		gid, w := newWorkflow(t, func(wf *workflow.Workflow, _ int, input []byte) ([]byte, error) {
			equal(t, "input", string(input), `{"order":7}`)
			if err := request(wf, p.url("s1")); err != nil {
				return nil, err
			}
			_, err := wf.NewBranch().OnFinish(func(bb *dtmcli.BranchBarrier, isRollback bool) error {
				equal(t, "rollback", isRollback, false)
				_, err := wf.NewRequest().Post(p.url("finish2"))
				return err
			}).NewRequest().SetBody(payload{}).Post(p.url("s2"))
			return nil, err
		})
		succeeds(t, "execute", workflow.Execute(f.name, gid, []byte(`{"order":7}`)))
		s := query(t, gid)
		equal(t, "status", s.Transaction.Status, dtmcli.StatusSucceed)
		equal(t, "trans_type", s.Transaction.TransType, "workflow")
		rows := []string{}
		for _, b := range s.Branches {
			rows = append(rows, b.BranchID+":"+b.Op+":"+b.Status)
		}
		equal(t, "rows", rows, []string{"01:action:succeed", "02:action:succeed", "02:commit:succeed"})
		equal(t, "calls", p.ops(), []string{"s1:action", "s2:action", "finish2:commit"})
		c := p.to("s1")[0]
		equal(t, "query", []string{c.query.Get("gid"), c.query.Get("branch_id"), c.query.Get("trans_type")}, []string{gid, "01", "workflow"})
		equal(t, "runs", w.count(), 1)
	})
}

func TestWorkflowRollback(t *testing.T) {
	onFaces(t, twoFaces, func(t *testing.T, f face) {
		p := newParticipant(t)
		p.on("s3", failure)
		gid, _ := newWorkflow(t, func(wf *workflow.Workflow, _ int, _ []byte) ([]byte, error) {
			undone := func(bb *dtmcli.BranchBarrier) error {
				equal(t, "barrier", []string{bb.Gid, bb.BranchID, bb.Op, bb.TransType}, []string{wf.Gid, "01", "rollback", "workflow"})
				return nil
			}
			local := func(*dtmcli.BranchBarrier) ([]byte, error) { return []byte("local"), nil }
			if _, err := wf.NewBranch().OnRollback(undone).Do(local); err != nil {
				return nil, err
			}
			for _, step := range []string{"2", "3"} {
				if _, err := rollbackBy(wf.NewBranch(), p.url("r"+step)).NewRequest().SetBody(payload{}).Post(p.url("s" + step)); err != nil {
					return nil, err
				}
			}
			return nil, nil
		})
		fails(t, "execute", workflow.Execute(f.name, gid, nil), "out of stock")
		s := query(t, gid)
		equal(t, "status", s.Transaction.Status, dtmcli.StatusFailed)
		contains(t, "reason", s.Transaction.RollbackReason, "out of stock")
		rows := []string{}
		for _, b := range s.Branches {
			rows = append(rows, b.BranchID+":"+b.Op+":"+b.Status)
		}
		equal(t, "rows", rows, []string{"01:action:succeed", "02:action:succeed", "03:action:failed", "02:rollback:succeed", "01:rollback:succeed"})
		equal(t, "calls", p.ops(), []string{"s2:action", "s3:action", "r2:rollback"})
		err := workflow.Execute(f.name, gid, nil)
		fails(t, "execute again", err, "out of stock")
		equal(t, "class of the error", errors.Is(err, dtmcli.ErrFailure), true)
	})
}

// tccStep is a branch with try, confirm and cancel.
func tccStep(wf *workflow.Workflow, p *participant, step string) error {
	call := func(name string) workflow.WfPhase2Func {
		return func(*dtmcli.BranchBarrier) error {
			_, err := wf.NewRequest().SetBody(payload{}).Post(p.url(name + step))
			return err
		}
	}
	_, err := wf.NewBranch().OnCommit(call("confirm")).OnRollback(call("cancel")).NewRequest().SetBody(payload{}).Post(p.url("try" + step))
	return err
}

func TestWorkflowTcc(t *testing.T) {
	onFaces(t, twoFaces, func(t *testing.T, f face) {
		p := newParticipant(t)
		gid, _ := newWorkflow(t, func(wf *workflow.Workflow, _ int, _ []byte) ([]byte, error) {
			if err := tccStep(wf, p, "1"); err != nil {
				return nil, err
			}
			return nil, tccStep(wf, p, "2")
		})
		succeeds(t, "execute", workflow.Execute(f.name, gid, nil))
		equal(t, "status", query(t, gid).Transaction.Status, dtmcli.StatusSucceed)
		equal(t, "calls", p.ops(), []string{"try1:action", "try2:action", "confirm2:commit", "confirm1:commit"})
	})
}

func TestWorkflowTccRollback(t *testing.T) {
	onFaces(t, twoFaces, func(t *testing.T, f face) {
		p := newParticipant(t)
		p.on("try2", failure)
		gid, _ := newWorkflow(t, func(wf *workflow.Workflow, _ int, _ []byte) ([]byte, error) {
			if err := tccStep(wf, p, "1"); err != nil {
				return nil, err
			}
			return nil, tccStep(wf, p, "2")
		})
		fails(t, "execute", workflow.Execute(f.name, gid, nil), "out of stock")
		equal(t, "status", query(t, gid).Transaction.Status, dtmcli.StatusFailed)
		equal(t, "calls", p.ops(), []string{"try1:action", "try2:action", "cancel1:rollback"})
	})
}

// What ends neither way is resumed by Amends; recorded steps are not run again.
func TestWorkflowResume(t *testing.T) {
	unclear := map[string]answer{"error": broken, "ongoing": ongoing, "connection lost": hangUp}
	onFaces(t, twoFaces, func(t *testing.T, f face) {
		for name, says := range unclear {
			name, says := name, says
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				p := newParticipant(t)
				p.on("s2", says, says, success)
				gid, w := newWorkflow(t, func(wf *workflow.Workflow, _ int, input []byte) ([]byte, error) {
					equal(t, "input", string(input), "7")
					if err := request(wf, p.url("s1")); err != nil {
						return nil, err
					}
					return []byte("done"), request(wf, p.url("s2"))
				})
				if err := workflow.Execute(f.name, gid, []byte("7")); err == nil {
					t.Fatal("execute succeeded")
				}
				equal(t, "status after the first run", query(t, gid).Transaction.Status, dtmcli.StatusPrepared)
				waitForStatus(t, gid, dtmcli.StatusSucceed)
				equal(t, "calls", p.order(), []string{"s1", "s2", "s2", "s2"})
				equal(t, "runs", w.count(), 3)
			})
		}
	})
}

// Everything that a step answered is there in the next run.
func TestWorkflowResumeSkip(t *testing.T) {
	onFaces(t, twoFaces, func(t *testing.T, f face) {
		p := newParticipant(t)
		p.on("s1", respond(http.StatusOK, `{"balance":"70 €"}`))
		locals := 0
		gid, w := newWorkflow(t, func(wf *workflow.Workflow, turn int, _ []byte) ([]byte, error) {
			response, err := wf.NewBranch().NewRequest().SetBody(payload{}).Post(p.url("s1"))
			if err != nil {
				return nil, err
			}
			equal(t, "recorded answer", response.String(), `{"balance":"70 €"}`)
			said, err := wf.NewBranch().Do(func(*dtmcli.BranchBarrier) ([]byte, error) {
				locals++
				return []byte("local result"), nil
			})
			equal(t, "recorded result", string(said), "local result")
			if turn == 1 {
				return nil, errors.New("the process is stopped")
			}
			return nil, err
		})
		fails(t, "execute", workflow.Execute(f.name, gid, nil), "the process is stopped")
		waitForStatus(t, gid, dtmcli.StatusSucceed)
		equal(t, "calls", p.order(), []string{"s1"})
		equal(t, "local steps", locals, 1)
		equal(t, "runs", w.count(), 2)
	})
}

// Interrupted in the second phase of a rollback.
func TestWorkflowRollbackResume(t *testing.T) {
	onFaces(t, twoFaces, func(t *testing.T, f face) {
		p := newParticipant(t)
		p.on("s3", failure)
		p.on("r1", broken, success)
		gid, w := newWorkflow(t, func(wf *workflow.Workflow, _ int, _ []byte) ([]byte, error) {
			for _, step := range []string{"1", "2", "3"} {
				if _, err := rollbackBy(wf.NewBranch(), p.url("r"+step)).NewRequest().SetBody(payload{}).Post(p.url("s" + step)); err != nil {
					return nil, err
				}
			}
			return nil, nil
		})
		fails(t, "execute", workflow.Execute(f.name, gid, nil), "database is away")
		waitForStatus(t, gid, dtmcli.StatusFailed)
		equal(t, "calls", p.order(), []string{"s1", "s2", "s3", "r2", "r1", "r1"})
		equal(t, "runs", w.count(), 2)
	})
}

// The result is stored and given again; over gRPC, DTM forgets it.
func TestWorkflowResult(t *testing.T) {
	onFaces(t, twoFaces, func(t *testing.T, f face) {
		given := []byte("{\"total\":70,\"note\":\"FAILURE\"}\x00\xff")
		gid, w := newWorkflow(t, func(*workflow.Workflow, int, []byte) ([]byte, error) { return given, nil })
		for i := 0; i < 3; i++ {
			result, err := workflow.Execute2(f.name, gid, nil)
			succeeds(t, "execute", err)
			equal(t, "result", string(result), string(given))
		}
		equal(t, "runs", w.count(), 1)
	})
}

// A recorded op is never replaced: the first one counts, equal ones are welcome.
func TestWorkflowBranchConflict(t *testing.T) {
	onFaces(t, twoFaces, func(t *testing.T, f face) {
		gid, _ := newWorkflow(t, func(wf *workflow.Workflow, _ int, _ []byte) ([]byte, error) {
			row := map[string]string{"branch_id": "01", "op": "action", "status": "succeed", "data": "7"}
			succeeds(t, "register", f.register(wf.TransBase, row))
			succeeds(t, "register again", f.register(wf.TransBase, row))
			other := map[string]string{"branch_id": "01", "op": "action", "status": "failed", "data": "8"}
			if err := f.register(wf.TransBase, other); err == nil {
				t.Errorf("other content for the same op was taken")
			}
			return nil, nil
		})
		succeeds(t, "execute", workflow.Execute(f.name, gid, nil))
		s := query(t, gid)
		equal(t, "statuses", s.statuses(), []string{"succeed"})
		equal(t, "recorded", string(s.Branches[0].BinData), "7")
	})
}

// A client that runs twice at once, or repeats its submit, gets one end.
func TestWorkflowSubmitTwice(t *testing.T) {
	onFaces(t, []face{overHTTP}, func(t *testing.T, f face) {
		gid, _ := newWorkflow(t, func(*workflow.Workflow, int, []byte) ([]byte, error) { return nil, nil })
		succeeds(t, "execute", workflow.Execute(f.name, gid, nil))
		end := func(status string) string {
			extra := map[string]string{"status": status, "rollback_reason": "", "result": ""}
			return toJSON(t, map[string]any{"gid": gid, "trans_type": "workflow", "req_extra": extra})
		}
		equal(t, "the same end again", post(t, "submit", end("succeed")).status, http.StatusOK)
		equal(t, "the other end", post(t, "submit", end("failed")).status, http.StatusConflict)
		equal(t, "status", query(t, gid).Transaction.Status, dtmcli.StatusSucceed)
	})
}

// DTM stores any status, and then never looks at the workflow again.
func TestWorkflowSubmitRefusesOtherStatus(t *testing.T) {
	t.Parallel()
	gid := newGid(t)
	answer := post(t, "prepareWorkflow", toJSON(t, map[string]any{
		"gid": gid, "trans_type": "workflow", "query_prepared": "http://127.0.0.1:9/resume", "custom_data": `{"name":"n","data":null}`,
	}))
	equal(t, "status of prepareWorkflow", answer.status, http.StatusOK)
	for _, status := range []string{"hacked", "", "prepared", "SUCCEED"} {
		extra := map[string]string{"status": status}
		answer := post(t, "submit", toJSON(t, map[string]any{"gid": gid, "trans_type": "workflow", "req_extra": extra}))
		if answer.status < 400 || strings.Contains(answer.body, "SUCCESS") {
			t.Errorf("status %q: %d %s", status, answer.status, answer.body)
		}
	}
	equal(t, "status", query(t, gid).Transaction.Status, dtmcli.StatusPrepared)
	equal(t, "status of forceStop", postGid(t, "forceStop", gid).status, http.StatusOK)
}

// DTM lets the submit of a workflow set a prepared message to succeed, whose steps are then never called.
func TestWorkflowSubmitRefusesOtherModes(t *testing.T) {
	t.Parallel()
	p := newParticipant(t)
	m := overHTTP.newMsg(t, p, "a1")
	m.TimeoutToFail = 60
	succeeds(t, "prepare", m.prepare(p.url("query")))
	extra := map[string]string{"status": "succeed"}
	answer := post(t, "submit", toJSON(t, map[string]any{"gid": m.Gid, "trans_type": "workflow", "req_extra": extra}))
	if answer.status < 400 || strings.Contains(answer.body, "SUCCESS") {
		t.Errorf("answer: %d %s", answer.status, answer.body)
	}
	equal(t, "status", query(t, m.Gid).Transaction.Status, dtmcli.StatusPrepared)
	succeeds(t, "submit", m.submit())
	waitForStatus(t, m.Gid, dtmcli.StatusSucceed)
	equal(t, "calls", p.order(), []string{"a1"})
}

// The client would crash on an answer without transaction; whatever it meets, it must be an error it can tell.
func TestWorkflowOfAnotherMode(t *testing.T) {
	t.Parallel()
	p := newParticipant(t)
	saga := newSaga(t, p, "1")
	submit(t, saga)
	waitForStatus(t, saga.Gid, dtmcli.StatusSucceed)
	answer := post(t, "prepareWorkflow", toJSON(t, map[string]any{"gid": saga.Gid, "trans_type": "workflow", "custom_data": `{"name":"n","data":null}`}))
	equal(t, "status", answer.status, http.StatusConflict)
	contains(t, "answer", answer.body, "FAILURE")
}

// Calls over gRPC are recorded by the client's interceptor, beside calls over HTTP and local steps.
func TestWorkflowMixed(t *testing.T) {
	onFaces(t, twoFaces, func(t *testing.T, f face) {
		p := newParticipant(t)
		connection, err := grpc.Dial(p.grpcAddress(), grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithUnaryInterceptor(workflow.Interceptor))
		succeeds(t, "dial", err)
		t.Cleanup(func() { _ = connection.Close() })
		gid, w := newWorkflow(t, func(wf *workflow.Workflow, turn int, _ []byte) ([]byte, error) {
			if err := request(wf, p.url("s1")); err != nil {
				return nil, err
			}
			if err := connection.Invoke(wf.NewBranchCtx(), "/conformance.Participant/s2", wrapperspb.String("{}"), &emptypb.Empty{}); err != nil {
				return nil, err
			}
			if turn == 1 {
				return nil, errors.New("the process is stopped")
			}
			return nil, nil
		})
		fails(t, "execute", workflow.Execute(f.name, gid, nil), "the process is stopped")
		waitForStatus(t, gid, dtmcli.StatusSucceed)
		equal(t, "calls", p.ops(), []string{"s1:action", "s2:action"})
		equal(t, "gid of the gRPC call", p.to("s2")[0].query.Get("gid"), gid)
		equal(t, "runs", w.count(), 2)
	})
}
