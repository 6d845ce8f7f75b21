/** `npm test`: sets up, then runs every test; arguments go to vitest (`npm test -- packages/core`). */
import { join } from 'node:path';
import { root, run, setUp } from './setup.mjs';

await setUp();
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
run([vitest, 'run', '--reporter=default', `--reporter=${join(root, 'tools', 'summary-reporter.mjs')}`, ...process.argv.slice(2)]);
