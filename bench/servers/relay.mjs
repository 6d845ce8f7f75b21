/**
 * A process: the floor. One request in, some calls out, one after the other, and an answer; it reads all of them and
 * stores nothing. Requests to other paths than `submit`, such as those that prepare, are answered at once. node:http and
 * undici's pools as their documentation shows them. Plain JavaScript: stripping types would stay in its memory with some 18 MB.
 *
 * Arguments: the URLs to call, in order (empty: nobody is called), and the body to send them.
 */
import { createServer } from 'node:http';
import { createRequire } from 'node:module';

// The very one that the coordinator uses.
const { Pool } = createRequire(new URL('../../packages/coordinator/package.json', import.meta.url))('undici');

const urls = process.argv.slice(2, -1);
const payload = process.argv.at(-1);
const headers = { 'content-type': 'application/json', accept: 'application/json', 'user-agent': 'relay' };
const query = '&gid=0123456789abcdefghijkl&op=action&trans_type=saga';
const pools = new Map();
const calls = urls.filter((url) => url !== '').map(caller);
const answer = '{"dtm_result":"SUCCESS"}';

const server = createServer((request, response) => {
  const pieces = [];
  request.on('data', (piece) => pieces.push(piece)).on('end', () => void relay(request.url, Buffer.concat(pieces), response));
});
server.listen(0, '127.0.0.1', () => process.send({ url: `http://127.0.0.1:${server.address().port}` }));

/** All calls, then the answer. The request has been read, but what it says is of no interest. */
async function relay(path, _request, response) {
  const agreed = !path.endsWith('/submit') || (await allAgree());
  response.writeHead(agreed ? 200 : 502, { 'content-type': 'application/json', 'content-length': answer.length }).end(answer);
}

async function allAgree() {
  for (const call of calls) if (!(await call())) return false;
  return true;
}

/** @returns what makes one call; its answer is true when the participant agrees */
function caller(url, index) {
  const { origin, pathname } = new URL(url);
  if (!pools.has(origin)) pools.set(origin, new Pool(origin, { connections: 128, pipelining: 1 }));
  const pool = pools.get(origin);
  const path = `${pathname}?branch_id=${String(index + 1).padStart(2, '0')}${query}`;
  return async () => {
    const { statusCode, body } = await pool.request({ path, method: 'POST', headers, body: payload });
    const text = await body.text();
    return statusCode === 200 && text.includes('SUCCESS');
  };
}
