/** A process: two participants that say yes to everything, and one that accepts connections and never answers. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { messageCutter } from './http-messages.ts';

const body = '{"dtm_result":"SUCCESS"}';
const yes = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;

/** What the process says when it is ready. */
export interface ParticipantUrls {
  readonly first: string;
  readonly second: string;
  readonly silent: string;
}

const [first, second, silent] = await Promise.all([listen(agree), listen(agree), listen((socket) => socket.resume())]);
process.send?.({ first, second, silent } satisfies ParticipantUrls);

async function listen(serve: (socket: Socket) => void): Promise<string> {
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    serve(socket);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/branch`;
}

function agree(socket: Socket): void {
  socket.on(
    'data',
    messageCutter(() => socket.write(yes)),
  );
}
