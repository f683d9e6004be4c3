import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { engineVersion } from '../../../engine/runtime/node/create-session.ts';
import { withoutLaunch } from '../../../program/parallel/launch.ts';
import { programVersion, withParent } from '../../../support/node/process-status.ts';
import { PROGRAM } from '../../../support/program.ts';
import { readEvent, type TrainEvent } from '../../../training/run/events.ts';
import { THIS_NODE } from '../../jobs/node/machine.ts';
import { writeReport } from '../../report/node/write-report.ts';
import type { ChildRun, ExperimentMachine } from '../run-experiment.ts';

/** Runs in folders, each trained in its own process. */
export const THIS_MACHINE: ExperimentMachine = {
  ...THIS_NODE,
  report: writeReport,
  get versions() {
    return { [PROGRAM]: programVersion(), 'ONNX Runtime': engineVersion(), Node: process.versions.node };
  },
  train: runChild,
};

/** The program for training in another process, which has separate memory. */
const MAIN = fileURLToPath(new URL('../../../faces/cli/main.js', import.meta.url));
/** Maximum characters of a failure message that are kept. */
const KEPT_CHARACTERS = 4000;

function runChild(
  config: string,
  onEvent: (event: TrainEvent) => void,
  signal?: AbortSignal,
): Promise<ChildRun> {
  // The child gets its own process group. So a Ctrl-C in the terminal reaches it only once, through this
  // process.
  const child = spawn(process.execPath, [MAIN, 'train', config, '--json', '--resume'], {
    // Nothing is written to the child's standard input. It closes when this process ends, and then the child
    // ends too.
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
    // The child is not part of a distributed run, even if a launcher started this process.
    env: withParent(withoutLaunch(process.env)),
  });
  const stop = () => child.kill('SIGTERM');
  signal?.addEventListener('abort', stop);
  let [rest, message] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() as string;
    for (const line of lines) {
      const event = eventIn(line);
      if (event) onEvent(event);
    }
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    message = (message + text).slice(-KEPT_CHARACTERS);
  });
  return new Promise<ChildRun>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, killedBy) => {
      resolve({ code: code ?? 1, message: killedBy ? `killed by ${killedBy}\n${message}` : message });
    });
  }).finally(() => signal?.removeEventListener('abort', stop));
}

/** The event in a line. Undefined for a line that something else has printed, such as a library of the config's program. */
function eventIn(line: string): TrainEvent | undefined {
  try {
    return readEvent(JSON.parse(line));
  } catch {
    return undefined;
  }
}
