package conformance

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/dtm-labs/client/dtmcli"
	"github.com/dtm-labs/client/workflow"
)

// readyForWorkflows registers the workflows and the address at which the server resumes them; the client knows one
// address per process, and its registry must not change while workflows run.
var readyForWorkflows = sync.OnceFunc(func() {
	resume := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch err := workflow.ExecuteByQS(r.URL.Query(), body); {
		case err == nil:
			success(w, r)
		case errors.Is(err, dtmcli.ErrFailure):
			failure(w, r)
		default:
			broken(w, r)
		}
	}))
	workflow.InitHTTP(dtm, resume.URL+"/workflow")
	if err := workflow.Register2("order", order, func(wf *workflow.Workflow) { wf.TimeoutToFail = 1; wf.RetryInterval = 1 }); err != nil {
		panic(err)
	}
})

// order is a workflow of two steps at the participant whose address is its data; only the first is compensated.
func order(wf *workflow.Workflow, data []byte) ([]byte, error) {
	root := string(data)
	wf.NewBranch().OnRollback(func(*dtmcli.BranchBarrier) error {
		_, err := wf.NewRequest().Post(root + "/c1")
		return err
	})
	if _, err := wf.NewRequest().SetBody(payload{Amount: 30}).Post(root + "/a1"); err != nil {
		return nil, err
	}
	if _, err := wf.NewBranch().NewRequest().SetBody(payload{Amount: 30}).Post(root + "/a2"); err != nil {
		return nil, err
	}
	return []byte("packed"), nil
}

// execute runs the workflow `order` and returns what it says.
func execute(t *testing.T, p *participant) (gid string, result []byte, err error) {
	t.Helper()
	readyForWorkflows()
	gid = newGid(t)
	result, err = workflow.Execute2("order", gid, []byte(p.server.URL))
	return gid, result, err
}

func TestWorkflowNormal(t *testing.T) {
	t.Parallel()
	p := newParticipant(t)
	gid, result, err := execute(t, p)
	if err != nil {
		t.Fatalf("workflow: %v", err)
	}
	equal(t, "result", string(result), "packed")
	equal(t, "status", query(t, gid).Transaction.Status, dtmcli.StatusSucceed)
	again, err := workflow.Execute2("order", gid, []byte(p.server.URL))
	if err != nil {
		t.Fatalf("again: %v", err)
	}
	equal(t, "result again", string(again), "packed")
	equal(t, "calls", p.order(), []string{"a1", "a2"})
}

func TestWorkflowRollback(t *testing.T) {
	t.Parallel()
	p := newParticipant(t)
	p.on("a2", failure)
	gid, _, err := execute(t, p)
	if !errors.Is(err, dtmcli.ErrFailure) {
		t.Fatalf("workflow: %v, want FAILURE", err)
	}
	equal(t, "status", query(t, gid).Transaction.Status, dtmcli.StatusFailed)
	equal(t, "calls", p.order(), []string{"a1", "a2", "c1"})
}

func TestWorkflowResumed(t *testing.T) {
	t.Parallel()
	p := newParticipant(t)
	p.on("a2", broken, success)
	gid, _, err := execute(t, p)
	if err == nil {
		t.Fatalf("workflow: no error although a2 was broken")
	}
	waitForStatus(t, gid, dtmcli.StatusSucceed)
	equal(t, "calls", p.order(), []string{"a1", "a2", "a2"})
}
