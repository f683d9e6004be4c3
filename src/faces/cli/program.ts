import { replaceProcess } from './huge-pages.ts';
import { isStoppable, runCommand, USER_MISTAKE } from './run-command.ts';

process.stdout.once('error', (error: NodeJS.ErrnoException) => {
  // A reader that stops early (`adalora predict ... | head`) is not a failure.
  const isClosed = error.code === 'EPIPE';
  if (!isClosed) console.error(`Cannot write to standard output: ${error.message}`);
  // These commands stop as on a signal; the others exit at once.
  const stops = isStoppable() && process.emit('SIGHUP', 'SIGHUP');
  if (!stops) process.exit(isClosed ? 0 : USER_MISTAKE);
});
// Later errors have the same cause. If standard error has no reader, messages are dropped.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

await runCommand(process.argv.slice(2), replaceProcess);
