/**
 * A process: the floor. One request in, two calls out, one after the other, and an answer; it stores nothing and looks
 * at nothing. node:http and undici, used as sparingly as they allow. Plain JavaScript: stripping types would stay in its
 * memory with some 18 MB.
 *
 * Arguments: the URLs of the two participants, the body to send them.
 */
import { createServer } from 'node:http';
import { Pool } from 'undici';

const [first, second, payload] = process.argv.slice(2);
const body = Buffer.from(payload);
const headers = { 'content-type': 'application/json', accept: 'application/json', 'user-agent': 'relay' };
const query = '&gid=0123456789abcdefghijkl&op=action&trans_type=saga';
const callFirst = caller(first, '01');
const callSecond = caller(second, '02');
const answer = Buffer.from('{"dtm_result":"SUCCESS"}');

const server = createServer((request, response) => {
  request.resume().on('end', () => relay(response));
});
server.listen(0, '127.0.0.1', () => process.send({ url: `http://127.0.0.1:${server.address().port}` }));

/** Both calls, then the answer. */
function relay(response) {
  const failed = () => response.writeHead(502).end();
  callFirst(() => callSecond(() => succeed(response), failed), failed);
}

function caller(url, branchId) {
  const { origin, pathname } = new URL(url);
  const pool = new Pool(origin, { connections: 128, pipelining: 1, headersTimeout: 0, bodyTimeout: 0 });
  const request = { path: `${pathname}?branch_id=${branchId}${query}`, method: 'POST', headers, body };
  return (done, failed) => pool.dispatch(request, follower(done, failed));
}

function follower(done, failed) {
  return {
    onRequestStart() {},
    onResponseStart() {},
    onResponseData() {},
    onResponseEnd: done,
    onResponseError: failed,
  };
}

function succeed(response) {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': answer.length }).end(answer);
}
