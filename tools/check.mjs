/** `npm run check`: format and lint, the rules of the house, types of everything, unused code, what would be published. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { environment, node, root, setUp } from './setup.mjs';

await setUp();
const bin = (path) => join(root, 'node_modules', path);
const packages = readdirSync(join(root, 'packages')).map((name) => join('packages', name));

check('format, lint', bin('@biomejs/biome/bin/biome'), ['check', '--error-on-warnings', '.']);
check('rules of the house', join('tools', 'house', 'main.ts'), []);
check('types of tests, bench, examples', bin('typescript/bin/tsc'), ['-p', 'tsconfig.check.json']);
check('unused code', bin('knip/bin/knip.js'), []);
for (const folder of packages) check(`package ${folder}`, bin('publint/src/cli.js'), [folder, '--strict', '--pack', 'false']);
process.stdout.write('check passed\n');

function check(name, program, args) {
  process.stdout.write(`check: ${name}\n`);
  const { status } = spawnSync(node, [program, ...args], { cwd: root, stdio: 'inherit', env: environment });
  if (status !== 0) {
    process.stderr.write(`check failed: ${name}\n`);
    process.exit(1);
  }
}
