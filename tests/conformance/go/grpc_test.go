package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"

	"github.com/dtm-labs/client/dtmcli/dtmimp"
	"github.com/dtm-labs/client/dtmgrpc/dtmgimp"
	"github.com/dtm-labs/client/dtmgrpc/dtmgpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// grpcAddress starts the participant's gRPC side when it is first asked for. It answers by the same scripts as HTTP.
func (p *participant) grpcAddress() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.grpcListener != nil {
		return p.grpcListener.Addr().String()
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	p.grpcListener = listener
	p.grpcServer = grpc.NewServer(grpc.ForceServerCodec(rawCodec{}), grpc.UnknownServiceHandler(p.serveGrpc))
	go func() { _ = p.grpcServer.Serve(listener) }()
	return listener.Addr().String()
}

// serveGrpc plays a unary call as the HTTP request that says the same, and its answer as a status.
func (p *participant) serveGrpc(_ any, stream grpc.ServerStream) error {
	var message []byte
	if err := stream.RecvMsg(&message); err != nil {
		return err
	}
	method, _ := grpc.MethodFromServerStream(stream)
	request := requestOf(stream.Context(), method, message)
	recorder := httptest.NewRecorder()
	p.ServeHTTP(recorder, request)
	if err := stream.Context().Err(); err != nil {
		return err
	}
	if code := codeOf(recorder); code != codes.OK {
		return status.Error(code, recorder.Body.String())
	}
	empty := []byte{}
	return stream.SendMsg(&empty)
}

// requestOf is the HTTP request that says what a gRPC call says: the dtm- entries of its metadata are its query.
func requestOf(ctx context.Context, method string, message []byte) *http.Request {
	entries, _ := metadata.FromIncomingContext(ctx)
	query := url.Values{}
	header := http.Header{}
	for key, values := range entries {
		if name := strings.TrimPrefix(key, "dtm-"); name != key {
			query.Set(name, values[0])
		} else {
			header[http.CanonicalHeaderKey(key)] = values
		}
	}
	var text wrapperspb.StringValue
	body := message
	if proto.Unmarshal(message, &text) == nil {
		body = []byte(text.Value)
	}
	path := method[strings.LastIndex(method, "/"):]
	request := httptest.NewRequest(http.MethodPost, path+"?"+query.Encode(), bytes.NewReader(body)).WithContext(ctx)
	request.Header = header
	return request
}

func codeOf(recorder *httptest.ResponseRecorder) codes.Code {
	text := recorder.Body.String()
	switch {
	case recorder.Code == http.StatusTooEarly || strings.Contains(text, "ONGOING"):
		return codes.FailedPrecondition
	case recorder.Code == http.StatusConflict || strings.Contains(text, "FAILURE"):
		return codes.Aborted
	case recorder.Code != http.StatusOK:
		return codes.Unknown
	}
	return codes.OK
}

// rawCodec passes messages on as bytes.
type rawCodec struct{}

func (rawCodec) Marshal(v any) ([]byte, error) { return *(v.(*[]byte)), nil }
func (rawCodec) Unmarshal(data []byte, v any) error {
	*(v.(*[]byte)) = append([]byte(nil), data...)
	return nil
}
func (rawCodec) Name() string { return "proto" }

// asQuery takes the parameters of a JSON-RPC call as the query of the HTTP request that says the same.
func asQuery(query url.Values, body []byte) (url.Values, []byte) {
	var request struct {
		Method string
		Params map[string]json.RawMessage
	}
	if json.Unmarshal(body, &request) != nil || request.Method == "" {
		return query, body
	}
	for _, name := range []string{"gid", "branch_id", "op", "trans_type"} {
		var value string
		if json.Unmarshal(request.Params[name], &value) == nil {
			query.Set(name, value)
		}
		delete(request.Params, name)
	}
	rest, _ := json.Marshal(request.Params)
	return query, rest
}

// grpcCall sends a transaction by gRPC.
func grpcCall(base *dtmimp.TransBase, operation string) error {
	return dtmgimp.DtmGrpcCall(base, strings.ToUpper(operation[:1])+operation[1:])
}

// grpcRegister registers a branch by gRPC.
func grpcRegister(base *dtmimp.TransBase, added map[string]string) error {
	values := map[string]string{}
	for key, value := range added {
		if key != "branch_id" && key != "data" {
			values[key] = value
		}
	}
	_, err := dtmgimp.MustGetDtmClient(base.Dtm).RegisterBranch(context.Background(), &dtmgpb.DtmBranchRequest{
		Gid: base.Gid, TransType: base.TransType, BranchID: added["branch_id"], Data: values, BusiPayload: []byte(added["data"]),
	})
	return err
}
