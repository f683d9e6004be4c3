import type { Scaling } from '../../jobs/plan/scaling.ts';
import { counted, duration } from './describe-event.ts';

/** Formats the cost of a run in several processes, one line per quantity. */
export function describeScaling(of: Scaling): string {
  const [computing, allReduce, step] = [of.computing, of.allReduce, of.step].map(milliseconds);
  const times = (of.efficiency * of.processes).toFixed(1);
  return [
    `${counted(of.processes)} processes, each on a host like this one`,
    `step        ${step}: ${computing} of computing, ${allReduce} of all-reduce (${(of.bytes / 1e6).toFixed(1)} MB, ${of.algorithm})`,
    `efficiency  ${(100 * of.efficiency).toFixed(1)} %: ${times} times the examples of one process`,
    `run         about ${duration(of.run)} for ${counted(of.steps)} steps`,
  ].join('\n');
}

function milliseconds(seconds: number): string {
  const ms = 1000 * seconds;
  return `${ms < 10 ? ms.toPrecision(2) : Math.round(ms)} ms`;
}
