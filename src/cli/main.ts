import { enableCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** V8's code cache. In the user's own folder: what is in the shared /tmp of Node's default could be somebody else's. */
enableCompileCache(join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'voidrunner'));

// Imported after that: static imports are compiled before the first statement.
const { runProgram } = await import('./program.js');
await runProgram(process.argv);
