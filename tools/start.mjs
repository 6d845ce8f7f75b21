/**
 * `npm start`: sets up, then runs tools/start/main.ts on the pinned Node. The two end together: the channel between them
 * closes however this process ends, and main.ts takes that as the word to stop.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { ancestorsUpToNpm } from './ancestors.mjs';
import { environment, node, root, setUp } from './setup.mjs';

const parentGoneEveryMs = 500;

const areThere = ancestorsUpToNpm();
await setUp();
const main = join(root, 'tools', 'start', 'main.ts');
const child = spawn(node, [main, ...process.argv.slice(2)], {
  cwd: root,
  env: environment,
  stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
});
child.channel?.unref();
child.once('error', (error) => {
  process.stderr.write(`amends: ${node} cannot be started: ${error.message}\n`);
  process.exit(1);
});
child.once('exit', (code, signal) => process.exit(code ?? (signal === null ? 1 : 128)));
const stop = () => child.connected && child.disconnect();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, stop);

// npm that is killed tells nobody; then this process, or the shell above it, gets another parent.
if (process.env.npm_lifecycle_event === 'start') setInterval(() => areThere() || stop(), parentGoneEveryMs).unref();
