/**
 * `node tools/services/main.ts [--install] [--install-only] [postgres|mariadb|redis …]`: starts the services (default: all),
 * prints their addresses, and stops and removes them on Ctrl-C. With a channel to a parent it starts what it is asked for
 * instead, and ends when the channel closes, however the parent ended.
 */
import { parseArgs } from 'node:util';
import { type Available, isStartable, type Startable, startable } from './kinds.ts';
import { install } from './packages.ts';
import { createServices } from './running-services.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { install: { type: 'boolean' }, 'install-only': { type: 'boolean' } },
});
const isCi = process.env['CI'] === 'true';
const services = createServices({ installs: isCi || values.install === true });
const names = positionals.length === 0 ? startable : positionals.map(checkName);

if (process.send !== undefined) serveParent();
else if (values['install-only'] === true) await install(names);
else await serveHuman();

function checkName(name: string): Startable {
  if (isStartable(name)) return name;
  process.stderr.write(`services: there is no ${name}; choose from ${startable.join(', ')}\n`);
  process.exit(2);
}

async function end(code: number): Promise<void> {
  await services.stop();
  process.exit(code);
}

/** Messages are names of services; answers are `{ name, answer }` or `{ name, error }`. */
function serveParent(): void {
  const tell = (message: { name: string; answer?: Available; error?: string }) => process.connected && process.send!(message);
  process.on('message', (name: Startable) => {
    services.get(name).then(
      (answer) => tell({ name, answer }),
      (error: unknown) => tell({ name, error: String(error) }),
    );
  });
  process.once('disconnect', () => void end(0));
  // A terminal sends these to all; the parent decides.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});
}

async function serveHuman(): Promise<void> {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => void end(0));
  const failed: string[] = [];
  for (const name of names) {
    const answer = await services.get(name);
    if ('missing' in answer) failed.push(answer.missing);
    process.stdout.write(`${name}: ${'url' in answer ? answer.url : answer.missing}\n`);
  }
  if (failed.length > 0) await end(1);
  setInterval(() => {}, 1 << 30); // Until a signal.
}
