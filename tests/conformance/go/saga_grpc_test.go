package conformance

import (
	"errors"
	"testing"

	"github.com/dtm-labs/client/dtmcli"
	"github.com/dtm-labs/client/dtmgrpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

func newGrpcSaga(t *testing.T, p *participant, steps ...string) *dtmgrpc.SagaGrpc {
	t.Helper()
	if amendsGrpc == "" {
		t.Skip("AMENDS_GRPC is not set")
	}
	saga := dtmgrpc.NewSagaGrpc(amendsGrpc, dtmgrpc.MustGenGid(amendsGrpc))
	saga.RetryInterval = 1
	for _, step := range steps {
		saga.Add(overGRPC.url(p, "a"+step), overGRPC.url(p, "c"+step), wrapperspb.String("thirty of "+step))
	}
	return saga
}

func TestSagaGrpcNormal(t *testing.T) {
	t.Parallel()
	p := newParticipant(t)
	saga := newGrpcSaga(t, p, "1", "2")
	saga.WaitResult = true
	if err := saga.Submit(); err != nil {
		t.Fatalf("submit: %v", err)
	}
	waitForStatus(t, saga.Gid, dtmcli.StatusSucceed)
	equal(t, "calls", p.order(), []string{"a1", "a2"})
	call := p.to("a2")[0]
	equal(t, "payload", call.body, "thirty of 2")
	equal(t, "gid", call.query.Get("gid"), saga.Gid)
	equal(t, "branch_id", call.query.Get("branch_id"), "02")
	equal(t, "op", call.query.Get("op"), "action")
	equal(t, "trans_type", call.query.Get("trans_type"), "saga")
}

func TestSagaGrpcRollback(t *testing.T) {
	t.Parallel()
	p := newParticipant(t)
	p.on("a2", failure)
	p.on("c2", ongoing, success)
	saga := newGrpcSaga(t, p, "1", "2")
	if err := saga.Submit(); err != nil {
		t.Fatalf("submit: %v", err)
	}
	s := waitForStatus(t, saga.Gid, dtmcli.StatusFailed)
	equal(t, "calls", p.order(), []string{"a1", "a2", "c2", "c2", "c1"})
	contains(t, "reason", s.Transaction.RollbackReason, "out of stock")
}

func TestSagaGrpcRollbackWait(t *testing.T) {
	t.Parallel()
	p := newParticipant(t)
	p.on("a2", failure)
	saga := newGrpcSaga(t, p, "1", "2")
	saga.WaitResult = true
	err := saga.Submit()
	if status.Code(err) != codes.Aborted {
		t.Fatalf("submit: %v, want ABORTED", err)
	}
	contains(t, "error", err.Error(), "out of stock")
	waitForStatus(t, saga.Gid, dtmcli.StatusFailed)
}

func TestSagaGrpcConcurrentOrder(t *testing.T) {
	t.Parallel()
	p := newParticipant(t)
	saga := newGrpcSaga(t, p, "1", "2", "3").EnableConcurrent().AddBranchOrder(2, []int{0, 1})
	if err := saga.Submit(); err != nil {
		t.Fatalf("submit: %v", err)
	}
	waitForStatus(t, saga.Gid, dtmcli.StatusSucceed)
	equal(t, "the last call", p.order()[2], "a3")
}

func TestSagaGrpcHeaders(t *testing.T) {
	t.Parallel()
	p := newParticipant(t)
	p.on("a1", ongoing, success)
	saga := newGrpcSaga(t, p, "1")
	saga.BranchHeaders = map[string]string{"test_header": "yes"}
	if err := saga.Submit(); err != nil {
		t.Fatalf("submit: %v", err)
	}
	waitForStatus(t, saga.Gid, dtmcli.StatusSucceed)
	for _, call := range p.to("a1") {
		equal(t, "header", call.header.Get("test_header"), "yes")
	}
}

// A saga over gRPC may have steps over HTTP.
func TestSagaGrpcHybrid(t *testing.T) {
	t.Parallel()
	p := newParticipant(t)
	saga := newGrpcSaga(t, p, "1")
	saga.Add(p.url("a2"), p.url("c2"), wrapperspb.String("ignored"))
	saga.WaitResult = true
	if err := saga.Submit(); err != nil {
		t.Fatalf("submit: %v", err)
	}
	equal(t, "calls", p.order(), []string{"a1", "a2"})
}

func TestSagaGrpcEmptyURL(t *testing.T) {
	t.Parallel()
	p := newParticipant(t)
	saga := newGrpcSaga(t, p)
	saga.Add("", "", wrapperspb.String("")).Add("", "", wrapperspb.String(""))
	saga.WaitResult = true
	if err := saga.Submit(); err != nil {
		t.Fatalf("submit: %v", err)
	}
}

func TestGrpcBadRequest(t *testing.T) {
	t.Parallel()
	saga := newGrpcSaga(t, newParticipant(t))
	err := saga.Add("not an address", "", wrapperspb.String("thirty")).Submit()
	if err == nil {
		t.Fatal("submit of a step without an address was accepted")
	}
	if errors.Is(err, dtmcli.ErrFailure) || status.Code(err) == codes.Unavailable {
		t.Errorf("submit: %v, want an error that tells what is wrong with the request", err)
	}
}
