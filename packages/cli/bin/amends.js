#!/usr/bin/env -S node --max-semi-space-size=8
// A smaller young generation keeps the server's memory lower at no measurable cost: at its peak under load 223 MB
// instead of 271 MB.
import { existsSync } from 'node:fs';

const [major, minor] = process.versions.node.split('.').map(Number);

if (major < 22 || (major === 22 && minor < 18)) refuse(`needs Node 22.18 or newer; this is Node ${process.versions.node}`);
else if (!existsSync(new URL('../dist/main.js', import.meta.url))) refuse('not built yet: run npm start or npm run build first');
else await import('../dist/main.js');

function refuse(reason) {
  process.stderr.write(`amends: ${reason}\n`);
  process.exitCode = 1;
}
