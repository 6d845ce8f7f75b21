package conformance

import (
	"net/http"
	"os"
	"testing"

	"github.com/dtm-labs/client/dtmcli"
	"github.com/dtm-labs/client/dtmcli/dtmimp"
	"github.com/dtm-labs/client/dtmgrpc"
	"github.com/go-resty/resty/v2"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// amendsGrpc is where the server under test listens for gRPC, host:port; empty when that is not known.
var amendsGrpc = os.Getenv("AMENDS_GRPC")

// face is one protocol: the client speaks it with Amends, Amends and the client speak it with the participants.
type face struct {
	name string
	// server is what the client is configured with.
	server string
	// protocol is what the client puts into a transaction.
	protocol string
}

var (
	overHTTP    = face{name: "http", server: dtm}
	overGRPC    = face{name: "grpc", server: amendsGrpc}
	overJSONRPC = face{name: "json-rpc", server: amends + "/api/json-rpc", protocol: "json-rpc"}
	allFaces    = []face{overHTTP, overGRPC, overJSONRPC}
	// twoFaces are those that know every mode.
	twoFaces = []face{overHTTP, overGRPC}
)

// onFaces runs a case once for each face, side by side.
func onFaces(t *testing.T, faces []face, run func(t *testing.T, f face)) {
	t.Parallel()
	eachFace(t, faces, run)
}

// eachFace is onFaces for a case that is parallel already.
func eachFace(t *testing.T, faces []face, run func(t *testing.T, f face)) {
	for _, f := range faces {
		f := f
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			if f.server == "" {
				t.Skip("AMENDS_GRPC is not set")
			}
			run(t, f)
		})
	}
}

// url is where a branch of this name is called.
func (f face) url(p *participant, name string) string {
	switch f.name {
	case "grpc":
		return p.grpcAddress() + "/conformance.Participant/" + name
	case "json-rpc":
		return p.url("api/json-rpc?method=" + name)
	}
	return p.url(name)
}

// callDtm sends a transaction to a route, whatever the client's own functions would do.
func (f face) callDtm(base *dtmimp.TransBase, operation string) error {
	if f.name != "grpc" {
		return dtmimp.TransCallDtm(base, operation)
	}
	return grpcCall(base, operation)
}

// message is a two-phase message of either client.
type message struct {
	*dtmimp.TransBase
	add         func(url string)
	prepare     func(queryPrepared string) error
	submit      func() error
	abort       func() error
	setDelay    func(seconds uint64)
	doAndSubmit func(queryPrepared string, local func(*dtmcli.BranchBarrier) error) error
}

// newMsg makes a message with one step for each name, whose prepared state times out after two seconds.
func (f face) newMsg(t *testing.T, p *participant, steps ...string) *message {
	t.Helper()
	gid := newGid(t)
	m := f.messageOf(gid)
	m.RetryInterval = 1
	m.TimeoutToFail = 2
	m.Protocol = f.protocol
	m.abort = func() error { return f.callDtm(m.TransBase, "abort") }
	for _, step := range steps {
		m.add(f.url(p, step))
	}
	return m
}

func (f face) messageOf(gid string) *message {
	if f.name == "grpc" {
		m := dtmgrpc.NewMsgGrpc(f.server, gid)
		add := func(url string) { m.Add(url, wrapperspb.String(`{"amount":30}`)) }
		delay := func(seconds uint64) { m.SetDelay(seconds) }
		do := func(query string, local func(*dtmcli.BranchBarrier) error) error { return m.DoAndSubmit(query, local) }
		return &message{TransBase: &m.TransBase, add: add, prepare: m.Prepare, submit: m.Submit, setDelay: delay, doAndSubmit: do}
	}
	m := dtmcli.NewMsg(f.server, gid)
	add := func(url string) { m.Add(url, payload{Amount: 30}) }
	delay := func(seconds uint64) { m.SetDelay(seconds) }
	return &message{TransBase: &m.TransBase, add: add, prepare: m.Prepare, submit: m.Submit, setDelay: delay, doAndSubmit: m.DoAndSubmit}
}

// branchCaller starts a branch: it registers it where the mode asks for that and calls its first phase.
type branchCaller func(step string) error

// withDefaults is how most transactions are made: they retry after one second.
func withDefaults(*dtmimp.TransBase) {}

// tcc runs a transaction whose branches are tryN, confirmN and cancelN at the participant.
func (f face) tcc(p *participant, gid string, custom func(*dtmimp.TransBase), run func(call branchCaller) error) error {
	urls := func(step string) (string, string, string) {
		return f.url(p, "try"+step), f.url(p, "confirm"+step), f.url(p, "cancel"+step)
	}
	prepare := func(base *dtmimp.TransBase) {
		base.RetryInterval = 1
		base.Protocol = f.protocol
		custom(base)
	}
	if f.name == "grpc" {
		return dtmgrpc.TccGlobalTransaction2(f.server, gid, func(x *dtmgrpc.TccGrpc) { prepare(&x.TransBase) }, func(x *dtmgrpc.TccGrpc) error {
			return run(func(step string) error {
				try, confirm, cancel := urls(step)
				return x.CallBranch(wrapperspb.String(`{"amount":30}`), try, confirm, cancel, &emptypb.Empty{})
			})
		})
	}
	return dtmcli.TccGlobalTransaction2(f.server, gid, func(x *dtmcli.Tcc) { prepare(&x.TransBase) }, func(x *dtmcli.Tcc) (*resty.Response, error) {
		return nil, run(func(step string) error {
			try, confirm, cancel := urls(step)
			_, err := x.CallBranch(payload{Amount: 30}, try, confirm, cancel)
			return err
		})
	})
}

// xa runs a transaction whose branches are at the participant, one address for all phases of each.
func (f face) xa(p *participant, gid string, custom func(*dtmimp.TransBase), run func(call branchCaller) error) error {
	prepare := func(base *dtmimp.TransBase) {
		base.RetryInterval = 1
		base.Protocol = f.protocol
		custom(base)
	}
	if f.name == "grpc" {
		return dtmgrpc.XaGlobalTransaction2(f.server, gid, func(x *dtmgrpc.XaGrpc) { prepare(&x.TransBase) }, func(x *dtmgrpc.XaGrpc) error {
			return run(func(step string) error {
				return x.CallBranch(wrapperspb.String(`{"amount":30}`), f.url(p, step), &emptypb.Empty{})
			})
		})
	}
	return dtmcli.XaGlobalTransaction2(f.server, gid, func(x *dtmcli.Xa) { prepare(&x.TransBase) }, func(x *dtmcli.Xa) (*resty.Response, error) {
		return nil, run(func(step string) error {
			_, err := x.CallBranch(payload{Amount: 30}, f.url(p, step))
			return err
		})
	})
}

// register registers a branch as the client does, with the given keys beside gid and trans_type.
func (f face) register(base *dtmimp.TransBase, added map[string]string) error {
	if f.name == "grpc" {
		return grpcRegister(base, added)
	}
	return dtmimp.TransRegisterBranch(base, added, "registerBranch")
}

// xaBranch plays a resource manager without a database: it registers the branch in phase one; `then` is its answer to
// that, and phase two answers by the scripts of `<name>:commit` and `<name>:rollback`.
func (f face) xaBranch(p *participant, then answer) answer {
	return func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		xa, err := dtmcli.XaFromQuery(query)
		if err == nil {
			xa.Protocol = f.protocol
			err = f.register(&xa.TransBase, map[string]string{"url": xa.Phase2URL, "branch_id": xa.BranchID})
		}
		if err != nil {
			respond(http.StatusInternalServerError, err.Error())(w, r)
			return
		}
		then(w, r)
	}
}
