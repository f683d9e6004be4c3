import { Command, Option } from 'commander';
import type { Plan } from '../../jobs/plan/plan.ts';
import type { NetworkSpeed } from '../../jobs/plan/scaling.ts';
import type { ParsedConfig } from '../../run/config/run-config.ts';
import { CONFIG_NAME, configPath } from '../config-path.ts';
import { count, repeated, threadsOption, threadsSetting } from '../flags.ts';
import { bandwidth, latency } from '../network-flags.ts';
import { STOPPED, stopOnSignal } from '../stop-on-signal.ts';
import { downloadDisplay } from '../terminal/download-display.ts';

interface Flags {
  set: string[];
  threads?: number;
  measure?: boolean;
  json?: boolean;
  processes?: number;
  bandwidth: number;
  latency: number;
}

/** Default network between processes: 10 Gbit/s Ethernet, as in ordinary clusters. */
const ETHERNET = { bandwidth: 1.25e9, latency: 20e-6 };

export function planCommand(): Command {
  return new Command('plan')
    .description('Show what a run would train, its steps and its memory, without loading the weights.')
    .argument('[config]', `YAML file (default: ${CONFIG_NAME} in this folder)`)
    .option('--set <key=value>', 'set a key of the config (repeatable)', repeated, [])
    .addOption(threadsOption())
    .option(
      '--measure',
      'train for some seconds with each base_dtype to measure memory, speed and total time',
    )
    .option(
      '--processes <n>',
      'measure a step here, and predict the time with this many hosts (one MPI process each)',
      count,
    )
    .addOption(
      new Option('--bandwidth <speed>', 'network bandwidth, with --processes')
        .argParser(bandwidth)
        .default(ETHERNET.bandwidth, '10Gb/s'),
    )
    .addOption(
      new Option('--latency <time>', 'network latency, with --processes')
        .argParser(latency)
        .default(ETHERNET.latency, '20us'),
    )
    .option('--json', 'print JSON Lines')
    .action(run);
}

async function run(
  path: string | undefined,
  { set, threads, measure, json, processes, ...network }: Flags,
): Promise<void> {
  const { runConfigAt } = await import('../run-config-at.ts');
  const { withAllErrors } = await import('../../jobs/node/with-all-errors.ts');
  const settings = [...set, ...threadsSetting(threads)];
  const { config, withRows } = await withAllErrors(() => runConfigAt(configPath(path), settings));
  const { plan } = await import('../../jobs/node/plan.ts');
  const estimated = await plan(withRows, { onDownload: downloadDisplay(process.stderr) });
  const planned = measure || processes ? await measured(config, estimated, measure) : estimated;
  if (!planned) {
    process.exitCode = STOPPED;
    return;
  }
  const scaling = processes ? await scaled(config, planned, processes, network) : undefined;
  if (json) {
    console.log(JSON.stringify({ ...planned, scaling }));
    return;
  }
  const { describePlan } = await import('../terminal/describe-plan.ts');
  console.log(describePlan(planned));
  if (!scaling) return;
  const { describeScaling } = await import('../terminal/describe-scaling.ts');
  console.log(`\n${describeScaling(scaling)}`);
}

/** The cost of the run in several processes; undefined if the cost in one process was not measured. */
async function scaled(config: ParsedConfig, plan: Plan, processes: number, network: NetworkSpeed) {
  const measured = plan.bases.find(({ dtype }) => dtype === config.base_dtype)?.measured;
  const { planScaling } = await import('../../jobs/node/plan-scaling.ts');
  return measured && planScaling(config, plan, measured, processes, network);
}

/**
 * Adds the results of a short calibration to a plan: for all base types, or only for the config's type.
 * Undefined if a signal stopped it.
 */
async function measured(config: ParsedConfig, plan: Plan, all = false): Promise<Plan | undefined> {
  const { measureBases } = await import('../../jobs/node/calibration/measure-bases.ts');
  const { measureDisplay } = await import('../terminal/measure-display.ts');
  const display = measureDisplay(process.stderr);
  const stop = stopOnSignal(display.close);
  try {
    const wanted = plan.bases.filter(({ dtype }) => all || dtype === config.base_dtype);
    const bases = await measureBases(config, wanted, { signal: stop.signal, onEvent: display.show });
    if (bases.every(({ failure }) => failure !== undefined)) process.exitCode = 1;
    return { ...plan, bases };
  } catch (error) {
    if (stop.signal.aborted) return undefined;
    throw error;
  } finally {
    display.close();
    stop.release();
  }
}
