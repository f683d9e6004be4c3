import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { processStatus } from '../../src/support/node/process-status.ts';
import type { EventOf, TrainEvent } from '../../src/training/run/events.ts';
import { eventsOf, Workspace } from '../../tests/support/workspace.ts';

/*
 * npx tsx scripts/processes/run.ts --model FOLDER --data ../shared/data/glue/CoLA [--only
 * cola|kills|launchers|data]
 *
 * Checks the guarantees about several processes, on this machine with Open MPI and MPICH and the built
 * command. One to four processes train CoLA with equal results. Repeating a run gives the same bytes. A run
 * whose processes were killed continues with another number of processes. The wrong MPI library, or a host
 * with other data, is reported. The exit code is 1 if a check fails.
 */

const { values: options } = parseArgs({
  options: {
    model: { type: 'string', default: '../shared/models/all-MiniLM-L6-v2' },
    data: { type: 'string', default: '../shared/data/glue/CoLA' },
    only: { type: 'string', multiple: true, default: ['cola', 'kills', 'launchers', 'data'] },
  },
});
const BATCH = 12;
const LIBRARIES = { 'Open MPI': 'libmpi.so.40', MPICH: 'libmpich.so.12' };
const LAUNCHERS = {
  'Open MPI': ['mpirun.openmpi', '--allow-run-as-root', '--oversubscribe', '--bind-to', 'none', '-n'],
  MPICH: ['mpiexec.hydra', '-n'],
};
const ROOT = { OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1' };

const workspace = new Workspace();
let failed = 0;

function tell(what: string, kept: boolean, details: string): void {
  if (!kept) failed++;
  console.log(`${kept ? 'kept  ' : 'BROKEN'} ${what}: ${details}`);
}

function start(output: string, processes: number, settings: readonly string[], more: readonly string[] = []) {
  const set = [
    `output=${output}`,
    `training.per_device_train_batch_size=${BATCH / processes}`,
    'training.logging_steps=1',
    ...settings,
  ].flatMap((setting) => ['--set', setting]);
  const launcher = processes > 1 ? [...LAUNCHERS['Open MPI'], `${processes}`] : [];
  return workspace.start(['train', 'run.yaml', '--json', ...set, ...more], { env: ROOT, launcher });
}

const of = <Type extends TrainEvent['type']>(output: string, type: Type): EventOf<Type>[] =>
  eventsOf(workspace.events(output), type);
const adapterHash = (output: string) =>
  createHash('sha256')
    .update(workspace.read(output, 'adapter', 'adapter_model.safetensors'))
    .digest('hex')
    .slice(0, 12);

async function cola(): Promise<void> {
  const settings = [
    `model=${resolve(options.model)}`,
    `data={train: ${resolve(options.data)}/train.tsv, validation: ${resolve(options.data)}/dev.tsv, text: 3, label: 1, header: false, quote: false, max_length: 64}`,
    'training.max_steps=50',
    'adalora={init_r: 6, target_r: 4, tinit: 5, tfinal: 20, deltaT: 5}',
    'training.learning_rate=1e-3',
  ];
  for (const [output, processes] of [
    ['one', 1],
    ['two', 2],
    ['three', 3],
    ['four', 4],
    ['again', 2],
  ] as const) {
    const { code, stderr } = await start(output, processes, settings).ended;
    if (code !== 0) throw new Error(`${output}: ${stderr}`);
  }
  const losses = (output: string) => of(output, 'step').map(({ loss }) => loss);
  const ranks = (output: string) => JSON.stringify(of(output, 'allocation').map((event) => event.ranks));
  const scores = (output: string) => of(output, 'finish')[0]!.metrics;
  for (const output of ['two', 'three', 'four']) {
    const difference = Math.max(...losses('one').map((loss, i) => Math.abs(losses(output)[i]! / loss - 1)));
    const isSame = ranks(output) === ranks('one') && losses(output).length === 50;
    const { eval_accuracy, eval_loss } = scores(output);
    tell(
      `CoLA in ${output} processes`,
      difference < 1e-5 && isSame && eval_accuracy === scores('one').eval_accuracy,
      `losses within ${difference.toExponential(1)}, ranks ${isSame ? 'equal' : 'differ'}, accuracy ${eval_accuracy}, loss ${eval_loss}`,
    );
  }
  const [two, again] = ['two', 'again'].map(adapterHash);
  tell('a second run of two', two === again, `${two} and ${again}`);
}

/** The ids of all processes below another one. */
function below(pid: number): number[] {
  const numbers = readdirSync('/proc').map(Number);
  return numbers.filter((number) => number > 0 && processStatus(number)?.parent === pid);
}

async function kills(): Promise<void> {
  const settings = ['training.max_steps=4000', 'training.save_steps=10', 'training.num_train_epochs=400'];
  let goneOn = 0;
  for (const [i, processes] of [2, 3, 4, 2, 3, 2, 4, 3, 2, 4].entries()) {
    const { process: launcher, ended } = start('killed', processes, settings, i > 0 ? ['--resume'] : []);
    let printed = '';
    const saved = new Promise<void>((done) => {
      launcher.stdout?.on('data', (text) => {
        printed += text;
        if (printed.includes('"type":"checkpoint"')) done();
      });
    });
    const isOver = await Promise.race([saved.then(() => false), ended.then(() => true)]);
    if (isOver) return tell('a killed process', false, (await ended).stderr);
    const from = JSON.parse(printed.split('\n')[0]!).step;
    if (i > 0 && from > 0) goneOn++;
    const processesOfRun = below(Number(launcher.pid));
    const killed = processesOfRun[i % processesOfRun.length]!;
    const startedAt = Date.now();
    process.kill(killed, 'SIGKILL');
    const { code, stdout, stderr } = await ended;
    const seconds = (Date.now() - startedAt) / 1000;
    const named = /process rank \d+ .*signal 9/s.test(stdout + stderr);
    tell(
      `kill -9 ${i + 1} of ${processes} processes`,
      code !== 0 && seconds < 30 && named,
      `ended after ${seconds} s, begun at step ${from}`,
    );
  }
  // Started at once, while processes that mpirun is still ending hold the lock.
  const rest = start('killed', 1, settings, ['--resume']);
  await new Promise((done) => setTimeout(done, 20_000));
  rest.process.kill('SIGTERM');
  const { stdout, stderr } = await rest.ended;
  const from = JSON.parse(stdout.split('\n')[0]!).step;
  tell(
    'ten resumptions at once after',
    goneOn === 9 && from > 0,
    `${goneOn + Number(from > 0)} went on; the last at step ${from} ${stderr}`,
  );
}

async function launchers(): Promise<void> {
  for (const [name, launcher] of Object.entries(LAUNCHERS)) {
    for (const [kind, library] of Object.entries(LIBRARIES)) {
      const { code, stderr } = await workspace.start(
        ['train', 'run.yaml', '--set', `output=${name[0]}-${kind[0]}`, '--set', 'training.max_steps=2'],
        { env: { ...ROOT, ADALORA_MPI_LIBRARY: library }, launcher: [...launcher, '2'] },
      ).ended;
      const message = stderr.split('\n').find((line) => line.includes('expected')) ?? '';
      const kept = name === kind ? code === 0 : code !== 0 && message.includes(`the library of ${name}`);
      tell(`the launcher of ${name} with the library of ${kind}`, kept, `code ${code} ${message}`);
    }
  }
}

async function data(): Promise<void> {
  workspace.write('other.tsv', readFileSync(workspace.path('dev.tsv')));
  const launcher = [...LAUNCHERS['Open MPI'], '2', 'sh', '-c'];
  const script =
    'if [ "$OMPI_COMM_WORLD_RANK" = 1 ]; then exec "$@" --set data.train=other.tsv; else exec "$@"; fi';
  const { code, stderr } = await workspace.start(['train', 'run.yaml', '--set', 'output=other'], {
    env: ROOT,
    launcher: [...launcher, script, 'sh'],
  }).ended;
  const [message] = stderr.split('\n');
  tell(
    'a host with other data',
    code === 2 && /^process 1 .*the file/.test(message!),
    `code ${code} ${message}`,
  );
}

const PARTS = { cola, kills, launchers, data };
try {
  for (const [name, check] of Object.entries(PARTS)) if (options.only.includes(name)) await check();
} finally {
  workspace.remove();
}
process.exitCode = failed > 0 ? 1 : 0;
