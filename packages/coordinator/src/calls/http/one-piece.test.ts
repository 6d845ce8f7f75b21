import { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import { sendInOnePiece } from './one-piece.ts';

/** A socket that notes what it is given to send: a piece, or a list of pieces. */
function stage() {
  const sent: (string | readonly string[])[] = [];
  const textOf = (chunk: Buffer) => chunk.toString('latin1');
  const socket = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      sent.push(textOf(chunk));
      done();
    },
    writev(chunks, done) {
      sent.push(chunks.map(({ chunk }) => textOf(chunk as Buffer)));
      done();
    },
  });
  sendInOnePiece(socket);
  return { socket, sent };
}

/** Writes as undici does. */
function request(socket: Duplex, ...pieces: readonly (string | Uint8Array)[]): void {
  socket.cork();
  for (const piece of pieces) typeof piece === 'string' ? socket.write(piece, 'latin1') : socket.write(piece);
  socket.uncork();
}

test('the head and the body of each request are one piece', () => {
  const { socket, sent } = stage();
  for (const body of ['first', 'second']) request(socket, 'POST /ü\r\n\r\n', Buffer.from(body));
  expect(sent).toEqual(['POST /ü\r\n\r\nfirst', 'POST /ü\r\n\r\nsecond']);
});

test('a request without a body is sent as it is, corked or not', () => {
  const { socket, sent } = stage();
  socket.write('GET /a\r\n\r\n', 'latin1');
  request(socket, 'GET /b\r\n\r\n');
  expect(sent).toEqual(['GET /a\r\n\r\n', 'GET /b\r\n\r\n']);
});

test('a large body is not copied, but sent behind its head in one list', () => {
  const { socket, sent } = stage();
  const body = Buffer.alloc(20_000, 'x');
  request(socket, 'POST /\r\n\r\n', body);
  expect(sent).toEqual([['POST /\r\n\r\n', body.toString()]]);
});

test('pieces stay in order, however many there are', () => {
  const { socket, sent } = stage();
  request(socket, 'a', 'b', Buffer.from('c'), Buffer.from('d'), 'e');
  expect(sent.flat().join('')).toBe('abcde');
});

test('whoever writes hears when it was sent', async () => {
  const { socket } = stage();
  socket.cork();
  socket.write('POST /\r\n\r\n', 'latin1');
  const heard = new Promise((resolve) => socket.write(Buffer.from('x'), resolve));
  socket.uncork();
  expect(await heard).toBeFalsy();
});
