import { existsSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { parseSlice } from '../../../input/data/data-parts.ts';
import { folderFiles } from '../../../input/formats/node/folder-files.ts';
import { atomicWrite } from '../../../input/store/node/atomic-write.ts';
import { isAgreed } from '../../../program/parallel/communicator.ts';
import { readLaunch } from '../../../program/parallel/launch.ts';
import { trainAsked } from '../../../studies/jobs/node/train.ts';
import { keepTest } from '../../../studies/jobs/trained-files.ts';
import { eventFile } from '../../../studies/report/tensorboard/event-file.ts';
import { PROGRAM } from '../../../support/program.ts';
import { printable } from '../../../support/text.ts';
import { UserError } from '../../../support/user-error.ts';
import { taskNamed } from '../../../tasks/registry.ts';
import { readMethod } from '../../../training/run/config/read-method.ts';
import type { ParsedConfig } from '../../../training/run/config/run-config.ts';
import { readLastStep } from '../../../training/run/event-log.ts';
import type { EventOf, TrainEvent } from '../../../training/run/events.ts';
import { configPath } from '../config-path.ts';
import { assertNoColumns, type KeyOptions, keySettings } from '../key-options.ts';
import { runConfigAt } from '../run-config-at.ts';
import { configForData } from '../starting/config-for-data.ts';
import { isDataFile } from '../starting/read-data-file.ts';
import { endWithParent, STOPPED, stopOnSignal } from '../stop-on-signal.ts';
import { aligned, shellQuoted } from '../terminal/plain-text.ts';
import { jsonDisplay, trainDisplay } from '../terminal/train-display.ts';
import evaluate from './eval.ts';

interface Flags extends KeyOptions {
  test?: string;
  resume?: boolean;
  quiet?: boolean;
  json?: boolean;
  live?: boolean;
  tensorboard?: boolean;
}

export default async function run(
  path: string | undefined,
  validation: string | undefined,
  flags: Flags,
): Promise<void> {
  const { resume, json, quiet } = flags;
  const options = withValidation(flags, validation);
  const settings = keySettings(options);
  const launch = readLaunch(process.env);
  if (flags.test !== undefined) assertTest(flags.test, launch !== undefined);
  if (launch && launch.rank > 0) return follow(launch.rank, { configFile: path, set: settings, resume });
  const tell = quiet ? () => {} : json ? console.error : console.log;
  const chosen = await chooseConfig(path, options, settings, { resume, tell });
  const { configFile, set } = chosen;
  const test = flags.test ?? chosen.test;
  const asked = await runConfigAt(configPath(configFile), set);
  const { config } = asked;
  const display = json
    ? jsonDisplay(process.stdout)
    : trainDisplay(process.stdout, config.training.metric_for_best_model, { isQuiet: quiet });
  const stop = stopOnSignal(() => {
    display.close();
    console.error('Finishing the step and writing a checkpoint. Press again to quit at once.');
  });
  endWithParent(stop.request);
  const watch = await watchRun(config, flags);
  const onEvent = (event: TrainEvent) => {
    display.show(event);
    watch.show(event);
  };
  try {
    const { reason } = await trainAsked(asked, { resume, onEvent, signal: stop.signal });
    display.close();
    if (reason === 'stopped') {
      const file = configFile === undefined ? [] : [configFile];
      const settings = set.flatMap((setting) => ['--set', setting]);
      console.error(`To continue: ${shellQuoted([PROGRAM, 'train', ...file, ...settings, '--resume'])}`);
      process.exitCode = STOPPED;
    } else {
      if (test !== undefined) onEvent(await scoreTest(config.output, test, json));
      if (json) return;
      console.log(`The run is in ${printable(config.output)}`);
      if (quiet) return;
      console.log(printable(nextSteps(config)));
    }
    await watch.close();
  } catch (error) {
    await watch.close(error as Error);
    if (!stop.signal.aborted || (error as Error).name !== 'AbortError') throw error;
    console.error('The run had not begun.');
    process.exitCode = STOPPED;
  } finally {
    display.close();
    stop.release();
  }
}

/** The options with a validation file that is an argument. */
function withValidation(flags: Flags, validation: string | undefined): Flags {
  if (validation === undefined) return flags;
  const given = flags as { validation?: string };
  if (given.validation === undefined) return { ...flags, validation } as Flags;
  throw new UserError({
    key: '--validation',
    fault: `cannot be combined with a second file (${validation})`,
  });
}

/** Checks a test file before a run that may take hours. */
function assertTest(test: string, isDivided: boolean): void {
  if (isDivided) {
    const hint = `Score the run when it is finished: ${PROGRAM} eval RUN ${test}`;
    throw new UserError({ key: '--test', fault: 'does not work in several processes', hint });
  }
  if (!existsSync(parseSlice(test)?.path ?? test))
    throw new UserError({ where: test, fault: 'does not exist', code: 'not_found' });
}

/** Scores a finished run on a test file, and keeps the scores in its log and card. */
async function scoreTest(run: string, file: string, json = false): Promise<EventOf<'test'>> {
  if (!json) console.log(`\nScores on ${printable(file)}:`);
  const metrics = await evaluate(run, file, { quiet: json, isTest: true });
  const folder = folderFiles(run);
  const event: EventOf<'test'> = { type: 'test', step: readLastStep(folder), file, metrics };
  keepTest(folder, event);
  return event;
}

/** The config to train with, and the settings that override it. For a data file, writes a config first. */
async function chooseConfig(
  path: string | undefined,
  options: KeyOptions,
  settings: string[],
  { resume, tell }: { resume: boolean | undefined; tell: (text: string) => void },
): Promise<{ configFile?: string; set: string[]; test?: string | undefined }> {
  if (path === undefined || !isDataFile(path)) {
    assertNoColumns(options);
    return { ...(path !== undefined && { configFile: path }), set: settings };
  }
  const { name, isNew, text, set, test } = await configForData({ path, options, resume }, tell);
  if (isNew) {
    atomicWrite(name, text);
    tell(`Written: ${name}`);
  }
  return { configFile: name, set, test };
}

/** How long other processes wait for process 0 to report an error that all processes have, in milliseconds. */
const FIRST_MS = 3000;

/** Trains in a process other than the first. Prints only an error that the first process does not have. */
async function follow(
  rank: number,
  { configFile, set, resume }: { configFile?: string } & Pick<Flags, 'set' | 'resume'>,
): Promise<void> {
  const stop = stopOnSignal(() => {});
  try {
    const asked = await runConfigAt(configPath(configFile), set ?? []);
    await trainAsked(asked, { resume, signal: stop.signal });
  } catch (error) {
    if (isAgreed(error)) return;
    await setTimeout(FIRST_MS);
    const named = `process ${rank}: ${(error as Error).message}`;
    throw error instanceof UserError
      ? new UserError(named)
      : Object.assign(error as Error, { message: named });
  } finally {
    stop.release();
  }
}

/** Commands for using a finished run, one per line. */
export function nextSteps(config: ParsedConfig): string {
  const { output, task, data } = config;
  const { definition, settings } = readMethod(config);
  const base = definition.requiredBase?.(settings);
  const { prediction, words } = taskNamed(task);
  const run = shellQuoted([isAbsolute(output) || !output.startsWith('-') ? output : `./${output}`]);
  const isAsked = prediction?.input.line?.(data) !== undefined && !prediction.vectors;
  const use = isAsked ? `${PROGRAM} predict ${run}` : words.use(data).command.replace(' . ', ` ${run} `);
  const steps = [
    [use, isAsked ? 'predict for texts that you type' : (words.use(data).explanation ?? '')],
    [`${PROGRAM} report ${run}`, 'write a report as one HTML page'],
    [`${PROGRAM} serve ${run}${base ? ` --base_dtype ${base.dtype}` : ''}`, 'serve over HTTP'],
    [`${PROGRAM} export ${run} --as onnx -o onnx`, 'convert to ONNX'],
  ];
  return ['Next:', ...aligned(steps).map((step) => `  npx ${step}`)].join('\n');
}

interface WatchFlags {
  live?: boolean;
  tensorboard?: boolean;
}

/** A display that follows a run, in addition to the terminal. */
interface Watch {
  show(event: TrainEvent): void;
  /** Ends the display. With a `failure`, the run has no result. */
  close(failure?: Error): Promise<void>;
}

/** Starts the displays that the flags request: the run's report (its path is printed) and TensorBoard's files. */
export async function watchRun(config: ParsedConfig, flags: WatchFlags): Promise<Watch> {
  const watches: Watch[] = [];
  if (flags.live) watches.push(await liveReport(config.output));
  if (flags.tensorboard && config.training.report_to === undefined) {
    watches.push({
      show: eventFile(folderFiles(join(config.output, 'tensorboard')), process.pid),
      close: async () => {},
    });
  }
  return {
    show(event) {
      for (const watch of watches) watch.show(event);
    },
    async close(failure) {
      await Promise.all(watches.map((watch) => watch.close(failure)));
    },
  };
}

/** Seconds between two reports of an active run, at least. A page reloads itself as often. */
const PAUSE = 5;
/** Maximum share of time for writing reports. They are read from the whole log, which grows. */
const WRITING_SHARE = 0.05;

/** Writes the report of a run into its folder while it trains. The page reloads itself until the run ends. */
async function liveReport(run: string): Promise<Watch> {
  const { writeReport } = await import('../../../studies/report/node/write-report.ts');
  const path = join(run, 'report.html');
  let next = Number.POSITIVE_INFINITY;
  const write = (refresh?: number) => {
    const startedAt = performance.now();
    try {
      writeReport([run], path, refresh);
    } catch (error) {
      // A display must not end the training.
      console.error(`No report of this moment: ${(error as Error).message}`);
    }
    const now = performance.now();
    next = now + Math.max(1000 * PAUSE, (now - startedAt) / WRITING_SHARE);
  };
  return {
    show({ type }) {
      if (type === 'start') {
        console.error(`Live report: ${path}`);
        next = 0;
      }
      if (performance.now() >= next) write(PAUSE);
    },
    async close() {
      if (next !== Number.POSITIVE_INFINITY) write();
    },
  };
}
