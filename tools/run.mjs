/** `node tools/run.mjs FILE …`: sets up, then runs FILE on the pinned Node. */
import { run, setUp } from './setup.mjs';

await setUp();
run(process.argv.slice(2));
