import { existsSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import type { Command } from 'commander';
import { parseSlice } from '../../../input/data/data-parts.ts';
import { atomicWrite } from '../../../input/store/node/atomic-write.ts';
import { isAgreed } from '../../../program/parallel/communicator.ts';
import { PROGRAM } from '../../../support/program.ts';
import { printable } from '../../../support/text.ts';
import { UserError } from '../../../support/user-error.ts';
import type { EventOf, TrainEvent } from '../../../training/run/events.ts';
import { CONFIG_NAME, configPath } from '../config-path.ts';
import { newCommand, sharedOption } from '../flags.ts';
import { addConfigOptions, assertNoColumns, type KeyOptions, keySettings } from '../key-options.ts';
import { endWithParent, STOPPED, stopOnSignal } from '../stop-on-signal.ts';
import { shellQuoted } from '../terminal/plain-text.ts';

interface Flags extends KeyOptions {
  test?: string;
  resume?: boolean;
  quiet?: boolean;
  json?: boolean;
  live?: boolean;
  tensorboard?: boolean;
}

export function trainCommand(): Command {
  const command = newCommand('train', { isDivided: true, isStoppable: true })
    .description(
      'Fine-tune a model from a config, or from a file of rows. The first training on a file writes its config. Flags apply to one run.',
    )
    .argument(
      '[config or rows]',
      `config (default: ${CONFIG_NAME} in this folder; YAML, .mjs or .ts), or rows: CSV, TSV, JSON, parquet, text, a folder per class, or - for standard input`,
    )
    .argument('[validation]', 'file of validation rows, the same as --validation');
  addConfigOptions(command)
    .option('--test <file>', 'score the finished model on this file')
    .addOption(sharedOption('resume'))
    .option('--quiet', 'print only the result')
    .addOption(sharedOption('json'))
    .option('--live', 'write report.html in the output folder during the run; the page reloads itself')
    .option('--tensorboard', 'write TensorBoard event files to tensorboard/ in the output folder');
  return command.action(run);
}

async function run(path: string | undefined, validation: string | undefined, flags: Flags): Promise<void> {
  const { resume, json, quiet } = flags;
  const options = withValidation(flags, validation);
  const settings = keySettings(options);
  const { runConfigAt } = await import('../run-config-at.ts');
  const { readLaunch } = await import('../../../program/parallel/launch.ts');
  const launch = readLaunch(process.env);
  if (flags.test !== undefined) assertTest(flags.test, launch !== undefined);
  if (launch && launch.rank > 0) return follow(launch.rank, { configFile: path, set: settings, resume });
  const { withAllErrors } = await import('../../../studies/jobs/with-all-errors.ts');
  const { THIS_NODE } = await import('../../../studies/jobs/node/machine.ts');
  const tell = quiet ? () => {} : json ? console.error : console.log;
  const chosen = await withAllErrors(THIS_NODE, () =>
    chooseConfig(path, options, settings, { resume, tell }),
  );
  const { configFile, set } = chosen;
  const test = flags.test ?? chosen.test;
  const asked = await withAllErrors(THIS_NODE, () => runConfigAt(configPath(configFile), set));
  const { config } = asked;
  const { trainAsked } = await import('../../../studies/jobs/node/train.ts');
  const { jsonDisplay, trainDisplay } = await import('../terminal/train-display.ts');
  const display = json
    ? jsonDisplay(process.stdout)
    : trainDisplay(process.stdout, config.training.metric_for_best_model, { isQuiet: quiet });
  const stop = stopOnSignal(() => {
    display.close();
    console.error('Finishing the step and writing a checkpoint. Press again to quit at once.');
  });
  endWithParent(stop.request);
  const { watchRun } = await import('../watch-run.ts');
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
      const { nextSteps } = await import('../next-steps.ts');
      console.log(printable(nextSteps(config)));
    }
    await watch.close();
  } catch (error) {
    await watch.close(error as Error);
    throw error;
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
  const { evaluate } = await import('./eval.ts');
  const { folderFiles } = await import('../../../input/formats/node/folder-files.ts');
  const { keepTest } = await import('../../../studies/jobs/trained-files.ts');
  const { readLastStep } = await import('../../../training/run/event-log.ts');
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
  const { isDataFile } = await import('../starting/read-data-file.ts');
  if (path === undefined || !isDataFile(path)) {
    assertNoColumns(options);
    return { ...(path !== undefined && { configFile: path }), set: settings };
  }
  const { configForData } = await import('../starting/config-for-data.ts');
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
  const { runConfigAt } = await import('../run-config-at.ts');
  const { trainAsked } = await import('../../../studies/jobs/node/train.ts');
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
