package conformance

import (
	"errors"
	"net"
	"os"
	"sync"
	"testing"

	"github.com/dtm-labs/client/dtmcli"
	"github.com/dtm-labs/client/dtmgrpc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// amendsGrpc is where the server under test listens for gRPC, host:port.
var amendsGrpc = os.Getenv("AMENDS_GRPC")

// grpcParticipant plays the business services of one test over gRPC: every method exists and succeeds unless scripted.
type grpcParticipant struct {
	address string

	mu      sync.Mutex
	refusal map[string]error
	calls   []grpcCall
}

// grpcCall is one request of the server to a participant.
type grpcCall struct {
	method   string
	metadata metadata.MD
	payload  string
}

func newGrpcParticipant(t *testing.T) *grpcParticipant {
	t.Helper()
	if amendsGrpc == "" {
		t.Fatal("AMENDS_GRPC is not set: give the gRPC address of a running Amends, such as 127.0.0.1:36790")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	p := &grpcParticipant{address: listener.Addr().String(), refusal: map[string]error{}}
	server := grpc.NewServer(grpc.UnknownServiceHandler(p.handle))
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return p
}

func (p *grpcParticipant) handle(_ any, stream grpc.ServerStream) error {
	var message wrapperspb.StringValue
	if err := stream.RecvMsg(&message); err != nil {
		return err
	}
	method, _ := grpc.MethodFromServerStream(stream)
	headers, _ := metadata.FromIncomingContext(stream.Context())
	p.mu.Lock()
	p.calls = append(p.calls, grpcCall{method, headers, message.Value})
	refusal := p.refusal[method]
	p.mu.Unlock()
	if refusal != nil {
		return refusal
	}
	return stream.SendMsg(&emptypb.Empty{})
}

// url is where the branch of this name is called.
func (p *grpcParticipant) url(name string) string {
	return p.address + "/shop.Shop/" + name
}

// refuse makes a method answer ABORTED, the failure of DTM over gRPC.
func (p *grpcParticipant) refuse(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refusal["/shop.Shop/"+name] = status.Error(codes.Aborted, "out of stock")
}

// order is the methods called so far, in order of arrival.
func (p *grpcParticipant) order() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	names := []string{}
	for _, c := range p.calls {
		names = append(names, c.method[len("/shop.Shop/"):])
	}
	return names
}

func TestGrpcSaga(t *testing.T) {
	t.Parallel()
	outcomes := map[string]struct {
		refused string
		status  string
		calls   []string
	}{
		"normal":   {"", dtmcli.StatusSucceed, []string{"A1", "A2"}},
		"rollback": {"A2", dtmcli.StatusFailed, []string{"A1", "A2", "C2", "C1"}},
	}
	for name, outcome := range outcomes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newGrpcParticipant(t)
			if outcome.refused != "" {
				p.refuse(outcome.refused)
			}
			saga := dtmgrpc.NewSagaGrpc(amendsGrpc, dtmgrpc.MustGenGid(amendsGrpc)).
				Add(p.url("A1"), p.url("C1"), wrapperspb.String("thirty")).
				Add(p.url("A2"), p.url("C2"), wrapperspb.String("forty"))
			saga.WaitResult = true
			err := saga.Submit()
			equal(t, "refused", err != nil, outcome.refused != "")
			s := waitForStatus(t, saga.Gid, outcome.status)
			equal(t, "calls", p.order(), outcome.calls)
			equal(t, "payload", p.calls[1].payload, "forty")
			equal(t, "dtm-gid", p.calls[1].metadata.Get("dtm-gid"), []string{saga.Gid})
			equal(t, "dtm-branch_id", p.calls[1].metadata.Get("dtm-branch_id"), []string{"02"})
			equal(t, "dtm-op", p.calls[1].metadata.Get("dtm-op"), []string{"action"})
			if outcome.refused != "" {
				contains(t, "reason", s.Transaction.RollbackReason, "out of stock")
			}
		})
	}
}

func TestGrpcTcc(t *testing.T) {
	t.Parallel()
	outcomes := map[string]struct {
		refused string
		status  string
		calls   []string
	}{
		"normal":   {"", dtmcli.StatusSucceed, []string{"Try", "Confirm"}},
		"rollback": {"Try", dtmcli.StatusFailed, []string{"Try", "Cancel"}},
	}
	for name, outcome := range outcomes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newGrpcParticipant(t)
			if outcome.refused != "" {
				p.refuse(outcome.refused)
			}
			gid := dtmgrpc.MustGenGid(amendsGrpc)
			err := dtmgrpc.TccGlobalTransaction(amendsGrpc, gid, func(tcc *dtmgrpc.TccGrpc) error {
				return tcc.CallBranch(wrapperspb.String("thirty"), p.url("Try"), p.url("Confirm"), p.url("Cancel"), &emptypb.Empty{})
			})
			equal(t, "refused", err != nil, outcome.refused != "")
			waitForStatus(t, gid, outcome.status)
			equal(t, "calls", p.order(), outcome.calls)
			equal(t, "payload of the second phase", p.calls[1].payload, "thirty")
		})
	}
}

func TestGrpcMsg(t *testing.T) {
	t.Parallel()
	t.Run("do and submit", func(t *testing.T) {
		t.Parallel()
		p := newGrpcParticipant(t)
		msg := dtmgrpc.NewMsgGrpc(amendsGrpc, dtmgrpc.MustGenGid(amendsGrpc)).Add(p.url("A1"), wrapperspb.String("thirty"))
		if err := msg.DoAndSubmit(p.url("Query"), func(*dtmcli.BranchBarrier) error { return nil }); err != nil {
			t.Fatalf("do and submit: %v", err)
		}
		waitForStatus(t, msg.Gid, dtmcli.StatusSucceed)
		equal(t, "calls", p.order(), []string{"A1"})
	})
	t.Run("query prepared", func(t *testing.T) {
		t.Parallel()
		p := newGrpcParticipant(t)
		p.refuse("Query")
		msg := dtmgrpc.NewMsgGrpc(amendsGrpc, dtmgrpc.MustGenGid(amendsGrpc)).Add(p.url("A1"), wrapperspb.String("thirty"))
		msg.TimeoutToFail = 1
		if err := msg.Prepare(p.url("Query")); err != nil {
			t.Fatalf("prepare: %v", err)
		}
		waitForStatus(t, msg.Gid, dtmcli.StatusFailed)
		equal(t, "calls", p.order(), []string{"Query"})
	})
}

func TestGrpcBadRequest(t *testing.T) {
	t.Parallel()
	newGrpcParticipant(t)
	saga := dtmgrpc.NewSagaGrpc(amendsGrpc, dtmgrpc.MustGenGid(amendsGrpc)).Add("not an address", "", wrapperspb.String("thirty"))
	err := saga.Submit()
	if err == nil {
		t.Fatal("submit of a step without an address was accepted")
	}
	if errors.Is(err, dtmcli.ErrFailure) || status.Code(err) == codes.Unavailable {
		t.Errorf("submit: %v, want an error that tells what is wrong with the request", err)
	}
}
