import { runCommand } from './run-command.ts';
import { USER_MISTAKE } from './user-mistake.ts';

/** Commands that end in order when they are asked to: they write down how far they are, or end what is under way. */
const STOPPABLE = ['train', 'reproduce', 'sweep', 'compare', 'serve'];

let isOutputLost = false;
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (isOutputLost) return;
  isOutputLost = true;
  // Who reads our output may stop early (`adalora predict ... | head`): that is no failure.
  const isClosed = error.code === 'EPIPE';
  if (!isClosed) console.error(`standard output: expected the system to allow it, got ${error.message}`);
  // Those stop as at a signal; everything else is over.
  const stops = STOPPABLE.includes(process.argv[2]) && process.emit('SIGHUP', 'SIGHUP');
  if (!stops) process.exit(isClosed ? 0 : USER_MISTAKE);
});
// What nobody reads need not be said.
process.stderr.on('error', () => {});

await runCommand(process.argv.slice(2));
