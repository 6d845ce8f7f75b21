/**
 * A process: the floor. One request in, two calls out, one after the other, and an answer; it reads all of them and
 * stores nothing. Requests to other paths than `submit`, such as those that prepare, are answered at once. node:http and undici's
 * pools as their documentation shows them. Plain JavaScript: stripping types would stay in its memory with some 18 MB.
 *
 * Arguments: the URLs of the two participants (empty: nobody is called), the body to send them.
 */
import { createServer } from 'node:http';
import { createRequire } from 'node:module';

// The very one that the coordinator uses.
const { Pool } = createRequire(new URL('../../packages/coordinator/package.json', import.meta.url))('undici');

const [first, second, payload] = process.argv.slice(2);
const headers = { 'content-type': 'application/json', accept: 'application/json', 'user-agent': 'relay' };
const query = '&gid=0123456789abcdefghijkl&op=action&trans_type=saga';
const callFirst = caller(first, '01');
const callSecond = caller(second, '02');
const answer = '{"dtm_result":"SUCCESS"}';

const server = createServer((request, response) => {
  const pieces = [];
  request.on('data', (piece) => pieces.push(piece)).on('end', () => void relay(request.url, Buffer.concat(pieces), response));
});
server.listen(0, '127.0.0.1', () => process.send({ url: `http://127.0.0.1:${server.address().port}` }));

/** Both calls, then the answer. The request has been read, but what it says is of no interest. */
async function relay(path, _request, response) {
  const agreed = !path.endsWith('/submit') || ((await callFirst()) && (await callSecond()));
  response.writeHead(agreed ? 200 : 502, { 'content-type': 'application/json', 'content-length': answer.length }).end(answer);
}

/** @returns what makes one call; its answer is true when the participant agrees */
function caller(url, branchId) {
  if (url === '') return async () => true;
  const { origin, pathname } = new URL(url);
  const pool = new Pool(origin, { connections: 128, pipelining: 1 });
  const path = `${pathname}?branch_id=${branchId}${query}`;
  return async () => {
    const { statusCode, body } = await pool.request({ path, method: 'POST', headers, body: payload });
    const text = await body.text();
    return statusCode === 200 && text.includes('SUCCESS');
  };
}
