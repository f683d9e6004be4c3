import { runCommand } from './run-command.ts';
import { USER_MISTAKE } from './user-mistake.ts';

/** Commands that write down how far they are when they are stopped. */
const RESUMABLE = ['train', 'reproduce', 'sweep'];

let isOutputLost = false;
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (isOutputLost) return;
  isOutputLost = true;
  // Who reads our output may stop early (`adalora predict ... | head`): that is no failure.
  const isClosed = error.code === 'EPIPE';
  if (!isClosed) console.error(`standard output: expected the system to allow it, got ${error.message}`);
  // A run that can be resumed stops as at a signal; everything else is over.
  const stops = RESUMABLE.includes(process.argv[2]) && process.emit('SIGTERM', 'SIGTERM');
  if (!stops) process.exit(isClosed ? 0 : USER_MISTAKE);
});
// What nobody reads need not be said.
process.stderr.on('error', () => {});

await runCommand(process.argv.slice(2));
