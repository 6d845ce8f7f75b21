#!/usr/bin/env -S node --max-semi-space-size=32
// A young generation so large that nearly every transaction has ended before it is collected: a quarter of the copying that 8 MB
// cost, and seldom a full collection. It takes 30 to 100 MB more at the peak, and nothing while there is little to do.
import { existsSync } from 'node:fs';

const [major, minor] = process.versions.node.split('.').map(Number);

if (major < 22 || (major === 22 && minor < 18)) refuse(`needs Node 22.18 or newer; this is Node ${process.versions.node}`);
else if (!existsSync(new URL('../dist/main.js', import.meta.url))) refuse('not built yet: run npm start or npm run build first');
else await import('../dist/main.js');

function refuse(reason) {
  process.stderr.write(`amends: ${reason}\n`);
  process.exitCode = 1;
}
