/**
 * A process: the floor over gRPC. One rpc in, two out, one after the other, and a reply; it stores nothing. @grpc/grpc-js as
 * its documentation shows it, with messages left as bytes. Plain JavaScript, as the other relay.
 *
 * Arguments: the two participants' methods as `host:port/service/method`, the message to send them.
 */
import { createRequire } from 'node:module';

// The very one that the server uses.
const grpc = createRequire(new URL('../../packages/server/package.json', import.meta.url))('@grpc/grpc-js');

const [first, second, payload] = process.argv.slice(2);
const same = (bytes) => bytes;
const message = Buffer.from(payload);
const callFirst = caller(first);
const callSecond = caller(second);

const server = new grpc.Server();
const bytes = { requestSerialize: same, requestDeserialize: same, responseSerialize: same, responseDeserialize: same };
const submit = { path: '/dtmgimp.Dtm/Submit', requestStream: false, responseStream: false, ...bytes };
server.addService({ submit }, { submit: (_call, reply) => void relay(reply) });
server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  process.send({ url: `http://127.0.0.1:${port}` });
});

/** Both calls, then the reply. */
async function relay(reply) {
  try {
    await callFirst();
    await callSecond();
    reply(null, Buffer.alloc(0));
  } catch (error) {
    reply(error);
  }
}

/** @returns what makes one call; it rejects when the participant refuses */
function caller(target) {
  const cut = target.indexOf('/');
  const client = new grpc.Client(target.slice(0, cut), grpc.credentials.createInsecure());
  const path = target.slice(cut);
  return () =>
    new Promise((resolve, reject) => {
      const options = { deadline: Date.now() + 3_000 };
      const done = (error, answer) => (error ? reject(error) : resolve(answer));
      client.makeUnaryRequest(path, same, same, message, new grpc.Metadata(), options, done);
    });
}
